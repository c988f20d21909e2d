// SPDX-License-Identifier: PostgreSQL
#pragma once
// What an application may conclude from what it was told (docs/measures.md, "ok, failed, unknown"). Pure.
#include <stdbool.h>

#include "lab/record/ledger.h"

enum op_end {
    OP_COMPLETED, // command complete and ready for query
    OP_ERROR,     // the server sent an ErrorResponse with this SQLSTATE
    OP_LOST,      // the connection broke
    OP_DEADLINE,  // no answer in time
};
// The result of one autocommit statement. `sent`: its bytes were handed to the socket; before that nothing can have happened.
enum ledger_result classify_op(enum op_end end, bool sent, const char *sqlstate);
// Where it failed, for the ledger.
enum ledger_phase classify_phase(enum op_end end, bool sent);
// A WARNING by which PostgreSQL says: committed here, not confirmed by the synchronous standby (syncrep.c, SyncRepWaitForLSN). Both are
// fields that lc_messages does not translate: PG_DIAG_SEVERITY_NONLOCALIZED and PG_DIAG_SOURCE_FUNCTION, "" = not sent.
bool classify_warning_is_local_only(const char *severity, const char *routine);
// A connection on which this error was seen must not be used again (a demoted server, a session that ends).
bool classify_error_ends_connection(const char *sqlstate);
