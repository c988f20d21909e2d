// SPDX-License-Identifier: PostgreSQL
// Small readers: log lines, libpq's messages, HAProxy's table.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lab/observe/log_lines.h"
#include "lab/observe/pgconn.h"
#include "lab/observe/proxy_csv.h"
#include "lab/observe/sql_row.h"

static void turning_points_are_told_and_routine_is_not(void **state) {
    (void)state;
    static const struct {
        const char *service, *line, *level, *text; // level NULL = not told
    } cases[] = {
        {"patroni", "2024-01-01 10:00:00,123 INFO: no action. I am (n1), the leader with the lock", NULL, NULL},
        {"patroni", "2024-01-01 10:00:00,123 INFO: Lock owner: n1; I am n2", NULL, NULL},
        {"patroni", "2024-01-01 10:00:00,123 INFO: promoted self to leader by acquiring session lock", "info",
         "INFO: promoted self to leader by acquiring session lock"},
        {"patroni", "2024-01-01 10:00:00,123 ERROR: failed to update leader lock", "error",
         "ERROR: failed to update leader lock"},
        {"patroni", "2024-01-01 10:00:00,123 INFO: demoting self because DCS is not accessible and I was a leader",
         "warning", "INFO: demoting self because DCS is not accessible and I was a leader"},
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] LOG:  database system is ready to accept connections", "info",
         "[42] LOG:  database system is ready to accept connections"},
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] FATAL:  the database system is starting up", NULL, NULL},
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] LOG:  checkpoint starting: time", NULL, NULL},
        {"etcd",
         "2024-01-01 10:00:00.123456 I | raft: raft.node: 8e9e05c52164694d elected leader 8e9e05c52164694d at term 2",
         "info", "I | raft: raft.node: 8e9e05c52164694d elected leader 8e9e05c52164694d at term 2"},
        {"haproxy", "[WARNING]  (12) : Server rw/n1 is DOWN, reason: Layer7 wrong status", "warning",
         "[WARNING]  (12) : Server rw/n1 is DOWN, reason: Layer7 wrong status"},
        {"patroni", "", NULL, NULL},
        // with the SQLSTATE, and in languages whose words nobody here knows
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] 00000 LOG:  database system is ready to accept connections",
         "info", "[42] LOG:  database system is ready to accept connections"},
        {"postgresql", "2024-01-01 10:00:00.123 CET [42] 57014 app@app psql ERREUR:  annulation de la requête", "error",
         NULL},
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] 53100 ОШИБКА:  не удалось записать", "error",
         "[42] 53100 ОШИБКА:  не удалось записать"},
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] 57P03 FATAL:  le système de bases de données démarre", NULL,
         NULL},
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] 00000 LOG:  le système est prêt", NULL, NULL},
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] 01000 ATTENTION:  rien", NULL, NULL},
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] 08P01 n2 LOG:  unexpected EOF on standby connection", NULL,
         NULL},
        {"postgresql", "2024-01-01 10:00:00.123 UTC [42] 28P01 n2 DETAIL:  Connection matched pg_hba.conf line 7", NULL,
         NULL},
        {"postgresql", "x] 57P0", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct log_line l;
        bool told = log_line_judge(cases[i].service, cases[i].line, &l);
        if (told != (cases[i].level != NULL))
            fail_msg("%s", cases[i].line);
        if (told)
            assert_string_equal(cases[i].level, line_level_name(l.level));
        if (told && cases[i].text)
            assert_string_equal(cases[i].text, l.text);
    }
}

static void libpqs_messages_become_one_line_with_the_servers_code(void **state) {
    (void)state;
    static const struct {
        const char *message, *sqlstate, *text;
    } cases[] = {
        {"connection to server at \"10.77.0.1\", port 5432 failed: FATAL:  57P03: the database system is starting up\n"
         "LOCATION:  ProcessStartupPacket, postmaster.c:2354\n",
         "57P03", "the database system is starting up"},
        {"connection to server at \"10.77.0.1\", port 5432 failed: ВАЖНО:  57P03: система баз данных запускается\n"
         "LOCATION:  ProcessStartupPacket, postmaster.c:2354\n",
         "57P03", "система баз данных запускается"},
        {"connection to server at \"::1\", port 5432 failed: FATAL:  28P01: authentification par mot de passe "
         "échouée\n",
         "28P01", "authentification par mot de passe échouée"},
        {"FATAL:  role \"x\" does not exist", "", "role \"x\" does not exist"},
        {"connection to server at \"10.77.0.1\", port 5432 failed: Connection refused\n\tIs the server running on that "
         "host",
         "", "Connection refused"},
        {"connection to server at \"10.77.0.1\", port 5432 failed: session is read-only\n", "", "session is read-only"},
        {"server closed the connection unexpectedly\n\tThis probably means", "",
         "server closed the connection unexpectedly"},
        {"", "", ""},
        {NULL, "", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char sqlstate[PGCONN_STATE_MAX], text[PGCONN_TEXT_MAX];
        pgconn_explain(cases[i].message, sqlstate, text);
        assert_string_equal(cases[i].sqlstate, sqlstate);
        assert_string_equal(cases[i].text, text);
    }
}

static void a_very_long_message_is_cut_inside_its_buffer(void **state) {
    (void)state;
    char long_text[4096], sqlstate[PGCONN_STATE_MAX], text[PGCONN_TEXT_MAX];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    pgconn_explain(long_text, sqlstate, text);
    assert_int_equal(PGCONN_TEXT_MAX - 1, strlen(text));
}

static void a_missing_socket_is_said_in_our_words(void **state) {
    (void)state;
    char text[40];
    sql_explain("connection to server on socket \"/proc/7/root/run/postgresql/.s.PGSQL.5432\" failed: No such file or "
                "directory",
                text, sizeof text);
    assert_string_equal("no server (no socket)", text);
}

static void a_postmaster_that_refuses_is_understood_in_any_language(void **state) {
    (void)state;
    static const char fr[] = "le système de bases de données s'arrête";
    assert_string_equal("the database system is not yet accepting connections",
                        sql_refusal("the database system is not yet accepting connections", "starting"));
    assert_string_equal("the database system is shutting down", sql_refusal(fr, "stopping"));
    assert_string_equal("the database system is starting up", sql_refusal(fr, "starting"));
    assert_string_equal("the database system is in recovery mode", sql_refusal(fr, "ready"));
    assert_non_null(strstr(sql_refusal(fr, ""), "not known"));
}

static void only_english_and_no_language_are_known(void **state) {
    (void)state;
    assert_true(log_language_is_known("") && log_language_is_known("C") && log_language_is_known("C.UTF-8"));
    assert_true(log_language_is_known("en_US.UTF-8") && log_language_is_known("POSIX"));
    assert_false(log_language_is_known("fr_FR.UTF-8") || log_language_is_known("de_DE"));
}

static void note(void *arg, const struct proxy_server *s) {
    strbuf_addf(arg, "%s/%s=%s;", s->backend, s->server, s->state);
}

static void haproxys_table_gives_servers_by_the_name_of_the_column(void **state) {
    (void)state;
    cleanup_strbuf struct strbuf b = {0};
    proxy_csv_read("# pxname,svname,qcur,status,weight,\nrw,FRONTEND,,OPEN,,\nrw,n1,0,UP,1,\nrw,n2,0,DOWN "
                   "1/2,1,\nrw,BACKEND,0,UP,1,\n\n",
                   note, &b);
    assert_string_equal("rw/n1=UP;rw/n2=DOWN 1/2;", b.data);
    strbuf_clear(&b);
    proxy_csv_read("", note, &b);
    proxy_csv_read("Unknown command", note, &b);
    proxy_csv_read("# pxname,svname,qcur\nrw,n1,0\n", note, &b);
    proxy_csv_read("# pxname,svname,status\nrw", note, &b);
    assert_int_equal(0, b.len);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turning_points_are_told_and_routine_is_not),
        cmocka_unit_test(libpqs_messages_become_one_line_with_the_servers_code),
        cmocka_unit_test(a_very_long_message_is_cut_inside_its_buffer),
        cmocka_unit_test(a_missing_socket_is_said_in_our_words),
        cmocka_unit_test(a_postmaster_that_refuses_is_understood_in_any_language),
        cmocka_unit_test(only_english_and_no_language_are_known),
        cmocka_unit_test(haproxys_table_gives_servers_by_the_name_of_the_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
