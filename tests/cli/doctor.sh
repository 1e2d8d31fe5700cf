# SPDX-License-Identifier: BSD-2-Clause
echo "int main(void) { return 0; }" >app.c && "$(dirname "$(command -v cprof-analyze)")/../cc-wrapper/cprof-cc" -g app.c -o app && cprof-analyze doctor app
