// SPDX-License-Identifier: BSD-2-Clause
// leveldb_workload FOLDER: what a user of leveldb does, in one thread. Little enough that the database needs no compaction, which another thread would do
// whenever it likes; a table larger than that is built and read without a database.
#include <cstdio>
#include <memory>
#include <string>

#include "leveldb/cache.h"
#include "leveldb/db.h"
#include "leveldb/env.h"
#include "leveldb/filter_policy.h"
#include "leveldb/iterator.h"
#include "leveldb/table.h"
#include "leveldb/table_builder.h"
#include "leveldb/write_batch.h"

static std::string Key(int number)
{
	char text[32];

	snprintf(text, sizeof text, "key%08d", number * 7919 % 100003);
	return text;
}

static std::string InOrder(int number)
{
	char text[32];

	snprintf(text, sizeof text, "row%08d", number);
	return text;
}

static void Check(const leveldb::Status &status)
{
	if (status.ok())
		return;
	fprintf(stderr, "%s\n", status.ToString().c_str());
	exit(1);
}

static size_t UseDatabase(const std::string &folder, const leveldb::Options &options)
{
	leveldb::DB *opened;
	std::string value;
	size_t bytes = 0;

	Check(leveldb::DB::Open(options, folder, &opened));
	std::unique_ptr<leveldb::DB> db(opened);
	for (int i = 0; i < 5000; i++)
		Check(db->Put(leveldb::WriteOptions(), Key(i), std::string(20 + i % 50, 'a' + i % 26)));
	leveldb::WriteBatch batch;
	for (int i = 0; i < 5000; i += 3)
		batch.Delete(Key(i));
	Check(db->Write(leveldb::WriteOptions(), &batch));
	for (int i = 0; i < 10000; i++)
		if (db->Get(leveldb::ReadOptions(), Key(i), &value).ok())
			bytes += value.size();
	std::unique_ptr<leveldb::Iterator> iterator(db->NewIterator(leveldb::ReadOptions()));
	for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev())
		bytes += iterator->key().size();
	return bytes;
}

static size_t UseTable(const std::string &path, const leveldb::Options &options)
{
	leveldb::Env *env = leveldb::Env::Default();
	leveldb::WritableFile *written;
	leveldb::RandomAccessFile *read;
	leveldb::Table *opened;
	uint64_t file_bytes;
	size_t bytes = 0;

	Check(env->NewWritableFile(path, &written));
	std::unique_ptr<leveldb::WritableFile> output(written);
	leveldb::TableBuilder builder(options, written);
	for (int i = 0; i < 20000; i++)
		builder.Add(InOrder(i), std::string(30 + i % 100, 'a' + i % 26));
	Check(builder.Finish());
	Check(output->Close());
	Check(env->GetFileSize(path, &file_bytes));
	Check(env->NewRandomAccessFile(path, &read));
	std::unique_ptr<leveldb::RandomAccessFile> input(read);
	Check(leveldb::Table::Open(options, read, file_bytes, &opened));
	std::unique_ptr<leveldb::Table> table(opened);
	std::unique_ptr<leveldb::Iterator> iterator(table->NewIterator(leveldb::ReadOptions()));
	for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next())
		bytes += iterator->value().size();
	for (int i = 0; i < 20000; i += 11) {
		iterator->Seek(InOrder(i));
		bytes += iterator->Valid();
	}
	return bytes;
}

int main(int argc, char **argv)
{
	std::unique_ptr<const leveldb::FilterPolicy> filter(leveldb::NewBloomFilterPolicy(10));
	std::unique_ptr<leveldb::Cache> cache(leveldb::NewLRUCache(256 << 10));
	leveldb::Options options;
	size_t database_bytes, table_bytes;

	if (argc != 2)
		return 2;
	options.create_if_missing = true;
	options.filter_policy = filter.get();
	options.block_cache = cache.get();
	database_bytes = UseDatabase(argv[1], options);
	table_bytes = UseTable(std::string(argv[1]) + "/table", options);
	printf("%zu %zu\n", database_bytes, table_bytes);
}
