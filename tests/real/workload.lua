-- SPDX-License-Identifier: BSD-2-Clause
-- What the Lua interpreter is traced with: sorts, formats, matches, builds tables, throws, yields. The same calls in every run.
-- Arguments: rounds, and "calm" for one without errors and coroutines, whose longjmp's not every profiler stands.
math.randomseed(42)

local rounds, calm = tonumber(arg[1]) or 1, arg[2] == "calm"
local sum = 0

local function numbers(n)
	local list = {}
	for i = 1, n do list[i] = math.random(1, 1000000) end
	return list
end

local function words(n)
	local list = {}
	for i = 1, n do list[i] = string.format("%s-%05d", string.char(97 + i % 26), i * 7919 % 100003) end
	return list
end

local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end

local function throw(n)
	if n == 0 then error({ code = 7 }) end
	throw(n - 1)
end

local function generate(n)
	return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end)
end

for _ = 1, rounds do
	local list = numbers(2000)
	table.sort(list)
	table.sort(list, function(a, b) return a > b end)
	sum = sum + list[1]

	local parts = {}
	for _, word in ipairs(words(1500)) do
		local letter, number = word:match("^(%a)%-(%d+)$")
		parts[#parts + 1] = letter:upper() .. tonumber(number) % 97
	end
	local text = table.concat(parts, ",")
	sum = sum + select(2, text:gsub("%d+", function(d) return "<" .. d .. ">" end))

	local counts = setmetatable({}, { __index = function() return 0 end })
	for letter in text:gmatch("%a") do counts[letter] = counts[letter] + 1 end
	for letter = 97, 122 do sum = sum + counts[string.char(letter):upper()] end

	for i = 1, calm and 0 or 200 do
		local ok, why = pcall(throw, i % 11)
		sum = sum + (ok and 0 or why.code)
	end
	for value in generate(calm and 0 or 300) do sum = sum + value end
	sum = sum + fib(17) + #load("return {1, 2}")()
	collectgarbage()
end
print(sum)
