/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instrumented extension in an uninstrumented host: python3 imports it and runs python_plugin.py. The host calls in from its main
 * thread, from threads of its own, and from a callback that the extension itself called, so that paths lead through frames nobody
 * recorded. run.sh builds it without cprof too: what python prints, and its status, are the same.
 *
 * exit: 7
 * calls: PyInit_python_plugin=1 plugin_total=121 plugin_add=3317 plugin_apply=1 plugin_refuse=43 refuse_deep=43
 * tree: [at("plugin_total/plugin_add")] | map(.calls) | add == 101 + 107 * 29
 * tree: [at("plugin_apply/plugin_total")] | map(.calls) | add == 13
 * tree: [at("plugin_apply/plugin_total/plugin_add")] | map(.calls) | add == 113
 * tree: [at("plugin_refuse/refuse_deep")] | map(.calls) | add == 43
 * info: .repaired_calls == 0 and .open_calls == 0
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static volatile int sink;

__attribute__((noinline)) static long plugin_add(long sum, long value)
{
	sink++;
	return sum + value;
}

/* total(ITERABLE): the sum of its numbers. */
__attribute__((noinline)) static PyObject *plugin_total(PyObject *self, PyObject *iterable)
{
	PyObject *iterator = PyObject_GetIter(iterable), *item;
	long sum = 0;

	(void)self;
	if (!iterator)
		return NULL;
	while ((item = PyIter_Next(iterator))) {
		sum = plugin_add(sum, PyLong_AsLong(item));
		Py_DECREF(item);
	}
	Py_DECREF(iterator);
	return PyErr_Occurred() ? NULL : PyLong_FromLong(sum);
}

/* apply(CALLBACK, ITERABLE): calls it with each item; the sum of what it returns. */
__attribute__((noinline)) static PyObject *plugin_apply(PyObject *self, PyObject *arguments)
{
	PyObject *callback, *iterable, *iterator, *item;
	long sum = 0;

	(void)self;
	if (!PyArg_ParseTuple(arguments, "OO", &callback, &iterable) || !(iterator = PyObject_GetIter(iterable)))
		return NULL;
	while ((item = PyIter_Next(iterator))) {
		PyObject *result = PyObject_CallOneArg(callback, item);

		Py_DECREF(item);
		if (!result)
			break;
		sum += PyLong_AsLong(result);
		Py_DECREF(result);
	}
	Py_DECREF(iterator);
	return PyErr_Occurred() ? NULL : PyLong_FromLong(sum);
}

__attribute__((noinline)) static void refuse_deep(void)
{
	PyErr_SetString(PyExc_ValueError, "refused");
	sink++;
}

/* refuse(): raises ValueError. */
__attribute__((noinline)) static PyObject *plugin_refuse(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	refuse_deep();
	sink++;
	return NULL;
}

static PyMethodDef methods[] = {
	{ "total", plugin_total, METH_O, NULL },
	{ "apply", plugin_apply, METH_VARARGS, NULL },
	{ "refuse", plugin_refuse, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static struct PyModuleDef module = { PyModuleDef_HEAD_INIT, "python_plugin", NULL, -1, methods, NULL, NULL, NULL, NULL };

PyMODINIT_FUNC PyInit_python_plugin(void)
{
	return PyModule_Create(&module);
}
