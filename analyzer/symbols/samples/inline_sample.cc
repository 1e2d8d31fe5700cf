/* SPDX-License-Identifier: BSD-2-Clause */
/* The same for C++: templates, namespaces, constructors, lambdas, local classes, exceptions. Never run. */
#include <stdexcept>
#include <string>
#include <vector>

extern "C" {
#include "inline_sample.h"
volatile int sink;
__attribute__((noinline)) void consume(int value)
{
	sink += value;
}
}

namespace shapes
{
namespace
{
template <typename T> T twice(T value)
{
	consume(int(value));
	return value + value;
}
}

class Shape {
public:
	explicit Shape(int sides) : sides_(twice(sides)) { consume(sides_); }
	virtual ~Shape() { consume(-sides_); }
	virtual int area() const { return header_middle(sides_); }
	static int count(const std::vector<int> &values);

protected:
	int sides_;
};

class Square final : public Shape {
public:
	Square() : Shape(4) {}
	int area() const override { return twice(Shape::area()); }
	int operator()(int x) const { return x * sides_ + header_leaf(x); }
};

int Shape::count(const std::vector<int> &values)
{
	struct Local {
		int total = 0;
		void add(int value) { consume(value); total += twice(value); }
	} local;
	for (int value : values)
		local.add(value);
	auto last = [&](int extra) { consume(extra); return local.total + header_leaf(extra); };
	return last(1) + last(2);
}
}

static int guarded(int value)
{
	try {
		if (value > 100)
			throw std::runtime_error("large " + std::to_string(value));
		return shapes::twice(value);
	} catch (const std::exception &error) {
		consume(int(std::string(error.what()).size()));
		return -1;
	}
}

int main(int argc, char **)
{
	shapes::Square square;
	std::vector<int> values(std::size_t(argc), 3);
	return int(shapes::twice(2.5)) + square(argc) + square.area() + shapes::Shape::count(values) + guarded(argc);
}
