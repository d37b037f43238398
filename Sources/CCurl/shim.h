// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

// libcurl sets and reads its options through C variadics, which Swift cannot call: one forwarder per
// class of argument. The brackets around a name keep curl's type-checking macros out of the way.

#ifndef HUBMERGE_CCURL_H
#define HUBMERGE_CCURL_H

#include <curl/curl.h>

typedef size_t (*ccurl_transfer)(char *bytes, size_t size, size_t count, void *context);
typedef int (*ccurl_seek)(void *context, curl_off_t offset, int origin);

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
  return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode ccurl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
  return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value) {
  return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
  return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode ccurl_set_transfer(CURL *handle, CURLoption option, ccurl_transfer value) {
  return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode ccurl_set_seek(CURL *handle, CURLoption option, ccurl_seek value) {
  return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value) {
  return (curl_easy_getinfo)(handle, info, value);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return (curl_multi_setopt)(multi, option, value);
}

static inline CURLcode ccurl_message_result(const CURLMsg *message) {
  return message->data.result;
}

#endif
