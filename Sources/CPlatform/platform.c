// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int cp_allocate(int fd, int64_t size) {
  if (size == 0) return ftruncate(fd, 0);
#ifdef __linux__
  int result;
  do {
    result = fallocate(fd, 0, 0, size);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return 0;
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) return -1;
#endif
  return ftruncate(fd, size);
}

int64_t cp_copy_range(int from, int64_t from_offset, int to, int64_t to_offset, int64_t count) {
#ifdef __linux__
  off64_t in = from_offset, out = to_offset;
  return copy_file_range(from, &in, to, &out, (size_t)count, 0);
#else
  errno = ENOSYS;
  return -1;
#endif
}

void cp_start_sync(int fd) {
#ifdef __linux__
  sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
}

int cp_rename_new(const char *from, const char *to) {
#ifdef __linux__
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
#endif
  struct stat info;
  if (lstat(to, &info) == 0) {
    errno = EEXIST;
    return -1;
  }
  return rename(from, to);
}

int64_t cp_peak_memory(void) {
#ifdef __linux__
  // getrusage counts the process that started this one, too, if its memory was shared until exec (vfork).
  FILE *status = fopen("/proc/self/status", "re");
  if (status) {
    char line[256];
    long long kilobytes = -1;
    while (kilobytes < 0 && fgets(line, sizeof line, status)) {
      if (sscanf(line, "VmHWM: %lld kB", &kilobytes) != 1) kilobytes = -1;
    }
    fclose(status);
    if (kilobytes >= 0) return (int64_t)kilobytes * 1024;
  }
#endif
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return -1;
#ifdef __APPLE__
  return usage.ru_maxrss;
#else
  return (int64_t)usage.ru_maxrss * 1024;
#endif
}
