// SPDX-License-Identifier: PostgreSQL
#include "lab/base/cluster.h"

#include "lab/base/str.h"

const struct service_word service_words[SERVICE_COUNT] = {
#define X(name, word, bit, with) {word, bit, with},
    SERVICES(X)
#undef X
};

unsigned service_asked(const char *word) {
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (str_eq(service_words[i].word, word))
            return service_words[i].with ? service_words[i].with : service_words[i].bit;
    return 0;
}

unsigned services_whole(unsigned asked) {
    unsigned all = asked;
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (service_words[i].with & asked)
            all |= service_words[i].bit;
    return all;
}

unsigned services_read(const char *list) {
    unsigned services = 0;
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (str_list_has(list, service_words[i].word))
            services |= service_words[i].bit;
    return services;
}

const char *services_first(unsigned services) {
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (service_words[i].bit & services)
            return service_words[i].word;
    return "";
}

void services_text(unsigned services, char *dst, size_t size) {
    size_t n = 0;
    dst[0] = '\0';
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (!(services & service_words[i].bit))
            continue;
        if (n && n + 1 < size)
            dst[n++] = ',';
        (void)str_copy(dst + n, size - n, service_words[i].word);
        n += strlen(dst + n);
    }
}
