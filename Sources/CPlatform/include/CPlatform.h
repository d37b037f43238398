// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

// The few calls of the operating system that Swift's Glibc module does not show, one function each.
// All return 0 or a count on success and -1 with errno set otherwise.

#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stdint.h>
#include <sys/types.h>

/// Reserves `size` bytes for the file so that threads can fill it in any order; falls back to setting
/// its length where the file system cannot reserve. A full disk is reported here, not at the last write.
int cp_allocate(int fd, int64_t size);

/// Copies up to `count` bytes inside the kernel (a reflink where the file system has them).
int64_t cp_copy_range(int from, int64_t from_offset, int to, int64_t to_offset, int64_t count);

/// Has the kernel begin to write the file's changed pages to the disk; a hint, without a result.
void cp_start_sync(int fd);

/// Renames a file or folder, failing with EEXIST if `to` exists.
int cp_rename_new(const char *from, const char *to);

/// Peak resident memory of this process, in bytes.
int64_t cp_peak_memory(void);

#endif
