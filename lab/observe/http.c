// SPDX-License-Identifier: PostgreSQL
// The happy path:
//   http_start: easy handle into the multi -> curl asks for a timer (on_timer_wish) -> on_timer: socket action TIMEOUT -> curl
//   opens its socket inside the node (open_in_node) and asks to watch it (on_socket_wish) -> on_io: socket action -> reap: done
// What goes wrong:
//   refused, reset, silence   curl ends the transfer with an error or at its deadline: done with status 0
//   callbacks that start or cancel requests: done is only called from reap(), outside of curl's own calls
#include "lab/observe/http.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lab/base/vec.h"

enum { BODY_MAX = 8 * 1024 * 1024 };

struct http {
    sd_event *loop;
    CURLM *multi;
    int ns, own_ns; // ns borrowed, -1 = none; own_ns ours
    sd_event_source *timer;
    VEC(struct http_request *) requests;
    bool freed;
};

struct http_request {
    struct http *http;
    CURL *easy;
    struct curl_slist *headers;
    struct strbuf body;
    struct http_options o;
    char error[CURL_ERROR_SIZE];
};

// ---- sockets ---------------------------------------------------------------------------------------------------------
// Between the two setns nothing but socket(2) runs; the process has one thread, so nobody else sees the other namespace.
static curl_socket_t open_in_node(void *arg, curlsocktype purpose, struct curl_sockaddr *a) {
    const struct http *h = arg;
    (void)purpose;
    if (h->ns >= 0 && setns(h->ns, CLONE_NEWNET) < 0)
        return CURL_SOCKET_BAD;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
    if (h->ns >= 0 && setns(h->own_ns, CLONE_NEWNET) < 0)
        abort(); // we would be in the wrong namespace for good: better no supervisor than a lost one
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static void reap(struct http *h);

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *arg) {
    (void)s;
    struct http *h = arg;
    int running, mask = 0;
    if (revents & (EPOLLIN | EPOLLHUP))
        mask |= CURL_CSELECT_IN;
    if (revents & EPOLLOUT)
        mask |= CURL_CSELECT_OUT;
    if (revents & EPOLLERR)
        mask |= CURL_CSELECT_ERR;
    (void)curl_multi_socket_action(h->multi, fd, mask, &running);
    reap(h);
    return 0;
}

static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg) {
    (void)easy;
    struct http *h = arg;
    sd_event_source *io = socket_arg;
    uint32_t mask = 0;
    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(io);
        (void)curl_multi_assign(h->multi, fd, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        mask |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        mask |= EPOLLOUT;
    if (io)
        return sd_event_source_set_io_events(io, mask) < 0 ? -1 : 0;
    if (sd_event_add_io(h->loop, &io, fd, mask, on_io, h) < 0)
        return -1;
    (void)curl_multi_assign(h->multi, fd, io);
    return 0;
}

static int on_timer(sd_event_source *s, uint64_t at, void *arg) {
    (void)s, (void)at;
    struct http *h = arg;
    int running;
    (void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    reap(h);
    return 0;
}

static int on_timer_wish(CURLM *multi, long ms, void *arg) {
    (void)multi;
    struct http *h = arg;
    if (ms < 0)
        return sd_event_source_set_enabled(h->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
    if (sd_event_source_set_time(h->timer, usec_now() + (usec_t)ms * MSEC) < 0)
        return -1;
    return sd_event_source_set_enabled(h->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

// ---- requests --------------------------------------------------------------------------------------------------------
static size_t on_body(char *data, size_t size, size_t n, void *arg) {
    struct http_request *r = arg;
    if (r->o.chunk)
        r->o.chunk(r->o.arg, data, size * n);
    else if (r->body.len + size * n > BODY_MAX)
        return 0; // ends the transfer with an error
    else
        strbuf_addn(&r->body, data, size * n);
    return size * n;
}

static void detach(struct http_request *r) {
    struct http *h = r->http;
    for (size_t i = 0; i < h->requests.n; i++)
        if (h->requests.items[i] == r) {
            h->requests.items[i] = h->requests.items[--h->requests.n];
            break;
        }
    (void)curl_multi_remove_handle(h->multi, r->easy);
    curl_easy_cleanup(r->easy);
    curl_slist_free_all(r->headers);
    strbuf_done(&r->body);
    free(r);
}

static int64_t date_of(CURL *e) {
    struct curl_header *h;
    return curl_easy_header(e, "Date", 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? (int64_t)curl_getdate(h->value, NULL)
                                                                             : -1;
}

static void finish(struct http_request *r, CURLcode code) {
    long status = 0;
    struct http_answer a = {.date = code == CURLE_OK ? date_of(r->easy) : -1};
    if (code == CURLE_OK)
        (void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    else
        STR_COPY(a.error, *r->error ? r->error : curl_easy_strerror(code));
    if (code == CURLE_OPERATION_TIMEDOUT)
        (void)snprintf(a.error, sizeof a.error, "no answer for %.1f s",
                       (double)(r->o.deadline ? r->o.deadline : 2 * SEC) / 1e6);
    struct strbuf body = r->body;
    struct http_options o = r->o;
    r->body = (struct strbuf){0};
    detach(r); // before the callback: it may start the next one
    a.status = (int)status;
    a.body = strbuf_str(&body);
    a.len = body.len;
    o.done(o.arg, &a);
    strbuf_done(&body);
}

static struct http_request *next_finished(struct http *h, CURLcode *ret_code) {
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
        struct http_request *r = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r);
        *ret_code = m->data.result;
        return r;
    }
    return NULL;
}

static void reap(struct http *h) {
    CURLcode code = CURLE_OK;
    for (struct http_request *r; (r = next_finished(h, &code));)
        finish(r, code);
}

static bool set_options(struct http_request *r) {
    const struct http_options *o = &r->o;
    char url[256];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", o->port, o->path);
    CURL *e = r->easy;
    bool ok = curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PRIVATE, r) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEDATA, r) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->error) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_in_node) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, r->http) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK && // never by http_proxy of the user's environment
              curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, 2000L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(o->deadline / MSEC)) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, o->method) == CURLE_OK;
    if (!ok || !o->json)
        return ok;
    r->headers = curl_slist_append(NULL, "Content-Type: application/json");
    r->headers = curl_slist_append(r->headers, "Expect:"); // no "100-continue" round trip
    return curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, o->json) == CURLE_OK;
}

int http_start(struct http *h, const struct http_options *o, struct http_request **ret, struct err *err) {
    struct http_request *r = xcalloc(1, sizeof *r);
    *r = (struct http_request){.http = h, .o = *o, .easy = curl_easy_init()};
    bool ok = r->easy && set_options(r);
    if (!ok || curl_multi_add_handle(h->multi, r->easy) != CURLM_OK) {
        curl_easy_cleanup(r->easy);
        curl_slist_free_all(r->headers);
        free(r);
        return err_set(err, ENOMEM, "HTTP request %s: libcurl refused it", o->path);
    }
    r->o.json = NULL, r->o.path = NULL; // the caller's; curl has its copies
    VEC_PUSH(&h->requests, r);
    if (ret)
        *ret = r;
    return 0;
}

void http_cancel(struct http_request *r) {
    if (r)
        detach(r);
}

int http_new(sd_event *loop, int ns, struct http **ret, struct err *err) {
    struct http *h = xcalloc(1, sizeof *h);
    *h = (struct http){.loop = loop, .ns = ns, .own_ns = -1, .multi = curl_multi_init()};
    if (ns >= 0)
        h->own_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int r = sd_event_add_time(loop, &h->timer, CLOCK_MONOTONIC, 0, 1, on_timer, h);
    if (r < 0 || !h->multi || (ns >= 0 && h->own_ns < 0)) {
        http_free(h);
        return err_set(err, ENOMEM, "set up HTTP on the event loop");
    }
    (void)sd_event_source_set_enabled(h->timer, SD_EVENT_OFF);
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    *ret = h;
    return 0;
}

void http_free(struct http *h) {
    if (!h)
        return;
    while (h->requests.n)
        detach(h->requests.items[0]); // NOLINT(clang-analyzer-unix.Malloc): which takes it out of the list
    if (h->multi)
        (void)curl_multi_cleanup(h->multi); // closes kept connections, asks for their sources to be removed
    sd_event_source_disable_unref(h->timer);
    if (h->own_ns >= 0)
        (void)close(h->own_ns);
    VEC_DONE(&h->requests);
    free(h);
}
