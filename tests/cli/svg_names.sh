# SPDX-License-Identifier: BSD-2-Clause
# What the pictures' scripts make of names that are too long.
cat >names.js <<'END'
const fit = eval(require("fs").readFileSync(process.argv[2], "utf8").replace('"use strict";', "") + ";fitName");
const cases = [
	["main", 10], ["a_very_long_c_name_here", 10], ["a::b::c", 7], ["a::b::c", 6], ["a::b::c", 3], ["a::b::c", 2],
	["std::map<std::__cxx11::basic_string<char, std::char_traits<char> >, int>::operator[](std::string&&)", 30],
	["pugi::impl::(anonymous namespace)::xpath_ast_node::compare_rel<pugi::A, (B)1>(int, x*)", 34],
	["pugi::impl::(anonymous namespace)::xpath_ast_node::compare_rel<pugi::A, (B)1>(int, x*)", 20],
	["pugi::impl::(anonymous namespace)::xpath_ast_node::compare_rel<pugi::A, (B)1>(int, x*)", 10],
	["void std::__invoke_impl<void, void (*)(int), int>(std::__invoke_other, void (*&&)(int), int&&)", 25],
	["</script>::<<<", 8], ["f<int", 4], ["operator()(int)", 12], ["A::operator->() const", 18],
	["f(int)::{lambda(int)#1}::operator()(int) const", 20], ["ns::g(int)::{lambda(int)#1}::run(int) const", 40],
	["bool std::operator< <char>(A<char> const&)", 18], ["ns::f(int) [clone .cold]", 22],
];
for (const [name, room] of cases) {
	const text = fit(name, room);
	console.log(room, JSON.stringify(text) + (Array.from(text).length > room ? " TOO LONG" : ""));
}
END
node names.js "$(dirname "$0")/../../analyzer/output/svg_names.js"
