/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server_load FOLDER INSERTS: what a server does with SQLite: four threads, each with INSERTS inserts that are all transactions of their own, so
 * that each waits for the disk several times. Two threads share a connection, which SQLite guards by a mutex. explained.sh asks where their time went.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, DATABASES = 2 };

static sqlite3 *databases[DATABASES];
static int inserts;

static void check(sqlite3 *database, int status, int wanted)
{
	if (status == wanted)
		return;
	fprintf(stderr, "server_load: %s\n", sqlite3_errmsg(database));
	exit(1);
}

static void insert_order(sqlite3 *database, sqlite3_stmt *statement, int id)
{
	check(database, sqlite3_bind_int(statement, 1, id), SQLITE_OK);
	check(database, sqlite3_bind_text(statement, 2, "an order", -1, SQLITE_STATIC), SQLITE_OK);
	check(database, sqlite3_step(statement), SQLITE_DONE);
	check(database, sqlite3_reset(statement), SQLITE_OK);
}

static void *worker(void *argument)
{
	int number = (int)(intptr_t)argument;
	sqlite3 *database = databases[number % DATABASES];
	sqlite3_stmt *statement;

	check(database, sqlite3_prepare_v2(database, "INSERT INTO orders VALUES (?, ?)", -1, &statement, NULL), SQLITE_OK);
	for (int i = 0; i < inserts; i++)
		insert_order(database, statement, number * inserts + i);
	check(database, sqlite3_finalize(statement), SQLITE_OK);
	return NULL;
}

static void open_database(const char *folder, int number)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/orders-%d.db", folder, number);
	check(NULL, sqlite3_open(path, &databases[number]), SQLITE_OK);
	check(databases[number],
	      sqlite3_exec(databases[number],
			   "PRAGMA synchronous = FULL; CREATE TABLE orders (id INTEGER PRIMARY KEY, text TEXT); CREATE INDEX by_text ON orders (text)", NULL, NULL, NULL),
	      SQLITE_OK);
}

int main(int argc, char **argv)
{
	pthread_t threads[WORKERS];

	if (argc != 3)
		return 2;
	inserts = atoi(argv[2]);
	for (int i = 0; i < DATABASES; i++)
		open_database(argv[1], i);
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&threads[i], NULL, worker, (void *)(intptr_t)i))
			return 3;
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < DATABASES; i++)
		check(databases[i], sqlite3_close(databases[i]), SQLITE_OK);
	return 0;
}
