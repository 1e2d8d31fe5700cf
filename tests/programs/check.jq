# SPDX-License-Identifier: BSD-2-Clause
# What expectations of programs are written with; see run.sh.

# A C++ function's name comes with its parameters; a test names it without.
def named($name): .name == $name or (.name | startswith($name + "("));

def calls($name): [.functions[] | select(named($name)) | .calls] | add // 0;

def descend($steps):
	if ($steps | length) == 0 then . else .children[] | select(named($steps[0])) | descend($steps[1:]) end;

# All nodes of a path like "main/A/B", from the root; only: it must be exactly one.
def at($path): .root | descend($path | split("/"));
def only($path): [at($path)] | if length == 1 then .[0] else error("\(length) nodes at \($path)") end;

def child($name): .children[] | select(named($name));
def nodes: .root | recurse(.children[]);
def absolute: if . < 0 then -. else . end;

# Total time is self time and the children's, in every node (each number is rounded to a ns on its own).
def conserved: [nodes | select(((.wall_ns.total - .wall_ns.self - ([.children[].wall_ns.total] | add // 0)) | absolute) > 2 + (.children | length))] == [];

# The callees of a node, whatever their sites: [[NAME, CALLS], ...].
def by_name: .children | group_by(.name) | map([.[0].name, (map(.calls) | add)]);
