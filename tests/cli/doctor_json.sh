# SPDX-License-Identifier: BSD-2-Clause
echo "int main(void) { return 0; }" | cc -g -finstrument-functions -fno-omit-frame-pointer -x c - -o app
cprof-analyze doctor --format=json app 2>/dev/null | jq -c '.programs[] | .fit, .runtime, .functions, .instrumented, [.objects[].instrumented], (.findings[] | [.state, .check])'
