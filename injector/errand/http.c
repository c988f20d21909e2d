// SPDX-License-Identifier: PostgreSQL
// HTTP from an errand's process: blocking, with a deadline, never through a proxy of the user's environment.
#include <curl/curl.h>

#include "injector/errand/errand.h"

enum { BODY_MAX = 1 << 20 };

static size_t on_body(char *data, size_t size, size_t n, void *arg) {
    struct strbuf *body = arg;
    if (body->len + size * n > BODY_MAX)
        return 0;
    strbuf_addn(body, data, size * n);
    return size * n;
}

static void set_options(CURL *e, const char *method, const char *url, usec_t deadline, struct strbuf *body,
                        char *error) {
    (void)curl_easy_setopt(e, CURLOPT_URL, url);
    (void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(e, CURLOPT_WRITEDATA, body);
    (void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, error);
    (void)curl_easy_setopt(e, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(deadline / MSEC));
}

int errand_http_url(const char *method, const char *url, const char *json, usec_t deadline, struct strbuf *ret_body) {
    char error[CURL_ERROR_SIZE] = "libcurl refused the request";
    CURL *e = curl_easy_init();
    struct curl_slist *headers = NULL;
    long status = 0;
    if (!e)
        return 0;
    set_options(e, method, url, deadline, ret_body, error);
    if (json) {
        headers = curl_slist_append(NULL, "Content-Type: application/json");
        headers = curl_slist_append(headers, "Expect:");
        (void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
        (void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, json);
    }
    CURLcode code = curl_easy_perform(e);
    if (code == CURLE_OK)
        (void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
    else {
        strbuf_clear(ret_body);
        strbuf_add(ret_body, *error ? error : curl_easy_strerror(code));
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(e);
    return (int)status;
}

int errand_http(const char *method, int port, const char *path, const char *json, usec_t deadline,
                struct strbuf *ret_body) {
    cleanup_free char *url = xasprintf("http://127.0.0.1:%d%s", port, path);
    return errand_http_url(method, url, json, deadline, ret_body);
}
