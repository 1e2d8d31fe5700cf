# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze --man >m && groff -man -Tascii -ww m 2>&1 >/dev/null; grep -c "^\.SS" m
