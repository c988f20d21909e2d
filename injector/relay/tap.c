// SPDX-License-Identifier: PostgreSQL
// Frames in and out of the shaper's link by packet sockets. What comes in lies in a ring that the kernel fills in our memory, so no frame
// costs a system call. What goes out is sent from a socket that bypasses the port's queueing discipline (tap_open tries both ways).
#include "injector/relay/tap.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/base/str.h"
#include "lab/base/usec.h"

// A frame holds a super-packet of 64 KiB, the ring's header and the virtio header. 15 of them fill a block of a MiB; 480
// frames are 100 ms of a lab's packets at 5000 a second, far more than the relay ever sleeps.
enum { BLOCK = 1 << 20, FRAME = 66560, PER_BLOCK = BLOCK / FRAME, BLOCKS = 32, FRAMES = BLOCKS * PER_BLOCK };
_Static_assert((int)FRAMES == (int)TAP_FRAMES, "the size of the ring");

static int set(int fd, int option, const void *value, socklen_t len, const char *what, struct err *err) {
    return setsockopt(fd, SOL_PACKET, option, value, len) < 0 ? err_sys(err, errno, "packet socket: %s", what) : 0;
}
static int set_int(int fd, int option, int value, const char *what, struct err *err) {
    return set(fd, option, &value, sizeof value, what, err);
}

static int packet_socket(struct err *err) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 && errno == EAFNOSUPPORT)
        return err_set(err, EAFNOSUPPORT, "this kernel has no packet sockets (af_packet); as root: modprobe af_packet");
    return fd < 0 ? err_sys(err, errno, "open a packet socket") : fd;
}

static int open_rx(struct tap *t, int link, struct err *err) {
    struct tpacket_req ring = {
        .tp_block_size = BLOCK, .tp_block_nr = BLOCKS, .tp_frame_size = FRAME, .tp_frame_nr = FRAMES};
    t->rx = packet_socket(err);
    int r = t->rx < 0 ? t->rx : set_int(t->rx, PACKET_IGNORE_OUTGOING, 1, "ignore outgoing", err);
    if (r == 0)
        r = set_int(t->rx, PACKET_VNET_HDR, 1, "virtio headers", err);
    if (r == 0)
        r = set_int(t->rx, PACKET_VERSION, TPACKET_V2, "ring version 2", err);
    if (r == 0)
        r = set(t->rx, PACKET_RX_RING, &ring, sizeof ring, "make the ring (32 MiB)", err);
    if (r < 0)
        return r;
    void *map = mmap(NULL, (size_t)BLOCKS * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, t->rx, 0);
    if (map == MAP_FAILED)
        return err_sys(err, errno, "map the ring");
    t->ring = map;
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = link};
    if (bind(t->rx, (struct sockaddr *)&at, sizeof at) < 0)
        return err_sys(err, errno, "bind the packet socket");
    return 0;
}

// ---- the trial -----------------------------------------------------------------------------------------------------

static void seen(void *arg, const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len) {
    (void)vnet;
    uint32_t src;
    struct in_addr test;
    (void)inet_pton(AF_INET, REDIRECT_TEST_SRC, &test);
    if (len < ETH_HLEN + 20 || frame[12] != 0x08 || frame[13] != 0x00)
        return;
    memcpy(&src, frame + ETH_HLEN + 12, sizeof src);
    *(bool *)arg = *(bool *)arg || src == test.s_addr;
}

static bool comes_back(struct tap *t, int link, int wait_ms) {
    uint8_t frame[ETH_HLEN + 20 + 26] = {[0] = 2, [6] = 2, [12] = 0x08, [14] = 0x45, [17] = 46, [22] = 1, [23] = 253};
    struct in_addr a, b; // protocol 253: experiments (RFC 3692)
    bool found = false;
    (void)inet_pton(AF_INET, REDIRECT_TEST_SRC, &a);
    (void)inet_pton(AF_INET, REDIRECT_TEST_DST, &b);
    memcpy(frame + ETH_HLEN + 12, &a, 4);
    memcpy(frame + ETH_HLEN + 16, &b, 4);
    tap_send(t, link, &(struct virtio_net_hdr){0}, frame, sizeof frame);
    for (usec_t now = usec_now(), end = now + (usec_t)wait_ms * MSEC; !found && now < end; now = usec_now()) {
        struct pollfd p = {.fd = t->rx, .events = POLLIN};
        (void)poll(&p, 1, (int)((end - now) / MSEC) + 1);
        (void)tap_read(t, FRAMES, seen, &found);
    }
    return found;
}

static int try_both_ways(struct tap *t, const struct switch_sink *sink, struct err *err) {
    if (!comes_back(t, sink->from, 500))
        return err_set(err, EIO, "a test frame did not come back through the filter and its redirection");
    int r = set_int(t->tx, PACKET_QDISC_BYPASS, 1, "bypass of queueing disciplines", err);
    if (r < 0)
        return r;
    if (comes_back(t, sink->from, 10))
        return err_set(err, EIO, "PACKET_QDISC_BYPASS has no effect here: every packet would go round for ever");
    return 0;
}

int tap_open(struct tap *t, const struct switch_sink *sink, struct err *err) {
    *t = (struct tap){.rx = -1, .tx = -1};
    int r = open_rx(t, sink->from, err);
    if (r == 0)
        r = t->tx = packet_socket(err);
    if (r >= 0)
        r = set_int(t->tx, PACKET_VNET_HDR, 1, "virtio headers", err);
    if (r >= 0)
        r = try_both_ways(t, sink, err);
    t->lost = t->unsent = 0;
    return r < 0 ? r : 0;
}

void tap_close(struct tap *t) {
    if (t->ring)
        (void)munmap(t->ring, (size_t)BLOCKS * BLOCK);
    if (t->rx >= 0)
        (void)close(t->rx);
    if (t->tx >= 0)
        (void)close(t->tx);
    *t = (struct tap){.rx = -1, .tx = -1};
}

// ---- frames --------------------------------------------------------------------------------------------------------

static struct tpacket2_hdr *slot(const struct tap *t, unsigned i) {
    void *at = t->ring + (size_t)(i / PER_BLOCK) * BLOCK + (size_t)(i % PER_BLOCK) * FRAME;
    return at;
}

// The virtio header lies just before the frame (net/packet/af_packet.c, tpacket_rcv).
unsigned tap_read(struct tap *t, unsigned max, tap_frame frame, void *arg) {
    unsigned n = 0;
    for (; n < max; n++) {
        struct tpacket2_hdr *h = slot(t, t->next);
        if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            break;
        const uint8_t *at = (const uint8_t *)h + h->tp_mac;
        struct virtio_net_hdr vnet;
        memcpy(&vnet, at - sizeof vnet, sizeof vnet);
        if (h->tp_snaplen == h->tp_len)
            frame(arg, &vnet, at, h->tp_snaplen);
        else
            t->unsent++; // larger than a frame of the ring: never seen, links carry 64 KiB at most
        __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        t->next = (t->next + 1) % FRAMES;
    }
    return n;
}

void tap_send(struct tap *t, int port, const struct virtio_net_hdr *vnet, const uint8_t *frame, size_t len) {
    struct iovec iov[2] = {{(void *)vnet, sizeof *vnet}, {(void *)frame, len}};
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = port, .sll_halen = ETH_ALEN};
    if (len < ETH_HLEN)
        return;
    memcpy(&to.sll_protocol, frame + 12, 2);
    memcpy(to.sll_addr, frame, ETH_ALEN);
    struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = iov, .msg_iovlen = 2};
    // A port that is down takes nothing: the frame is lost, as on a line without a machine at its end.
    if (sendmsg(t->tx, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != ENETDOWN) {
        t->unsent++;
        t->why = errno;
    }
}

void tap_count(struct tap *t) {
    struct tpacket_stats s;
    socklen_t len = sizeof s;
    if (getsockopt(t->rx, SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0) // reading sets it back to 0
        t->lost += s.tp_drops;
}
