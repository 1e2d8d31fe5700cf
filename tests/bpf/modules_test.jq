# SPDX-License-Identifier: BSD-2-Clause
# What a recording of modules_load.sh must say (jq -s, over lines of kernel_dump): what is not so, or nothing. A sample in the kernel may be in exec itself: its
# user registers are the new image's, while it is still said of the old one. A host that takes the processor away leaves some of the processes without a sample.
def processes: map(.who.tgid) | unique | length;
def of($name): map(select(.module // "" | endswith("/" + $name)));
[.[] | select(.record == "sample" and .user_ip != 0)] as $samples |
([.[] | select(.record == "counter") | {key: .name, value: .value}] | from_entries) as $counters |
($samples | of("modules_target") | map(.file_address) | unique) as $addresses |
[
	(if $counters["modules.unread"] == 0 and $counters["mappings.lost"] == 0 then empty else "nothing is unread, nothing lost" end),
	(if ($samples | length) > 1500 then empty else "samples" end),
	(if $samples | map(select(.kernel == 0)) | all(.module != null) then empty else "a file for each sample of user code" end),
	(if ($samples | map(select(.module == null)) | length) < ($samples | length) * 0.01 then empty else "and for those in the kernel" end),
	(if ($samples | of("modules_target") | processes) >= 190 then empty else "200 programs" end),
	(if ($samples | of("library.so") | processes) >= 15 then empty else "libraries that are there for a moment" end),
	(if ($samples | of("gone (deleted)") | processes) >= 15 then empty else "programs whose file is gone" end),
	(if ($samples | of("gone (deleted)") | map(.file_address) | (map(select(IN($addresses[]))) | length) > length * 0.9) then empty else "at the same addresses in it" end)
] | join(", ")
