// SPDX-License-Identifier: PostgreSQL
#include "lab/workload/classify.h"

#include <stddef.h>

#include "lab/base/str.h"

// SQLSTATEs (whole or class) after which a single autocommit statement has certainly not taken effect: the server refused it or
// rolled it back. Whatever is not listed is unknown: XX (internal), 58 (system), 57P01/57P02 (shutdown may kill the session
// after its commit, e.g. while it waits for a synchronous standby), 08.
static const char *const certainly_failed[] = {
    "0A", // feature not supported
    "22", // data exception
    "23", // integrity constraint
    "25", // invalid transaction state; 25006 read_only_sql_transaction
    "28", // authorization
    "3D", // invalid catalog name
    "3F", // invalid schema name
    "40", // transaction rollback: serialization failure, deadlock
    "42", // syntax error or access rule
    "53", // insufficient resources: disk full, too many connections
    "54", // program limit
    "55", // object not in prerequisite state
    "57014", // query_canceled: the transaction was aborted; a cancel during the synchronous wait comes as a WARNING instead
    "57P03", // cannot_connect_now
    "57P04", // database_dropped
};

// 40003 is "statement_completion_unknown": the one member of class 40 that promises nothing.
static bool certainly_refused(const char *sqlstate) {
    if (str_eq(sqlstate, "40003"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(certainly_failed); i++)
        if (str_starts(sqlstate, certainly_failed[i]))
            return true;
    return false;
}

enum ledger_result classify_op(enum op_end end, bool sent, const char *sqlstate) {
    if (end == OP_COMPLETED)
        return LEDGER_OK;
    if (!sent)
        return LEDGER_FAILED;
    return end == OP_ERROR && certainly_refused(sqlstate) ? LEDGER_FAILED : LEDGER_UNKNOWN;
}

enum ledger_phase classify_phase(enum op_end end, bool sent) {
    if (end == OP_COMPLETED)
        return LEDGER_PHASE_NONE;
    if (!sent)
        return LEDGER_PHASE_CONNECT;
    return end == OP_DEADLINE ? LEDGER_PHASE_TIMEOUT : LEDGER_PHASE_STATEMENT;
}

bool classify_warning_is_local_only(const char *severity, const char *routine) {
    // Its code is that of any warning (01000; 57P01 when the session ends as well) and its words are those of the server's
    // language, but a server of any language names the function that speaks.
    return str_eq(severity, "WARNING") && str_eq(routine, "SyncRepWaitForLSN");
}

bool classify_error_ends_connection(const char *sqlstate) {
    return str_starts(sqlstate, "57P") || str_starts(sqlstate, "08") || str_eq(sqlstate, "25006");
}
