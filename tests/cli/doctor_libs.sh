# SPDX-License-Identifier: BSD-2-Clause
# A program with one library of each kind; their own libraries are looked at as well.
for f in traced inner plain empty; do echo "int $f(void) { return 1; }" >$f.c; done
echo "int traced(void); int plain(void); int empty(void); int main(void) { return traced() + plain() + empty(); }" >app.c
echo "int inner(void); int traced(void) { return inner(); }" >traced.c
cprof-cc -g -fPIC -shared inner.c -o libinner.so && cprof-cc -g -fPIC -shared traced.c -o libtraced.so -L. -linner -Wl,-rpath,"$PWD"
cc -g -fPIC -shared plain.c -o libplain.so
cc -g -fPIC -shared -finstrument-functions empty.c -o libempty.so
cprof-cc -g app.c -o app -L. -ltraced -lplain -lempty -Wl,-rpath,"$PWD"
cprof-analyze doctor app | grep -A1 ' libs '
cprof-analyze doctor --format=json app | jq -c '.programs[].libraries[] | select(.name | test("traced|inner|plain|empty")) | [.name, .path != null, .instrumented, .empty_hooks]'
cprof-analyze doctor --format=json app | jq -c '[.programs[].libraries[] | select(.runtime).name]'
mv libplain.so elsewhere && cprof-analyze doctor app | grep -A1 'libs .*folder'
# A program that is not instrumented, with a library that is.
mv elsewhere libplain.so && cc -g app.c -o bare -L. -ltraced -lplain -lempty -Wl,-rpath,"$PWD" -Wl,-rpath-link,"$(dirname "$(cprof-analyze doctor --format=json app | jq -r '.programs[].runtime')")"
cprof-analyze doctor bare | sed -n '1,4p'
