// SPDX-License-Identifier: PostgreSQL
// What is wrong with steps, waits, conditions, expectations and known defects.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants these first
#include <cmocka.h>

#include "lab/base/vec.h"
#include "tests/unit/scenario_bad.h"

#define CRASH  "- {name: crash, inject: node.power_off, target: leader}\n"
#define WHEN   STEPS CRASH "- wait: "  // a condition, in line 5 column 9
#define EXPECT STEPS CRASH "expect:\n" // expectations begin in line 6
// One known defect, its keys in lines 7 to 14.
#define DEFECT(id, software, versions, reference, text, signature, explains, always)                                   \
    STEPS CRASH "\nknown_defects:\n- id: " id "\n  software: " software "\n  versions: " versions                      \
                "\n  reference: " reference "\n  text: " text "\n  signature: " signature "\n  explains: " explains    \
                "\n  always: " always "\n"
// One PostgreSQL; the steps begin in line 7.
#define ONE "title: t\ntopology:\n  nodes:\n    p: {services: [postgres, etcd]}\n    app: {services: app}\nsteps:\n"

// clang-format off
static const struct bad table[] = {
    // steps
    {STEPS "- 5\n"
     "- {}\n"
     "- {wait: 5, heal: all}\n"
     "- {name: all, wait: 1s}\n"
     "- {name: 5s, wait: 1s}\n"
     "- {name: a, wait: 1s}\n"
     "- {name: a, wait: 1s}\n",
     "f:4:3: error: expected a mapping (key: value) for a step, found text\n"
     "f:5:3: error: a step does nothing: expected exactly one of inject, heal, do, wait\n"
     "f:6:3: error: a step does several things: expected exactly one of inject, heal, do, wait\n"
     "f:7:10: error: 'all' can't be a step's name: letters, digits, '-', '_' and '.', at most 47, and "
     "neither 'all' nor a duration\n"
     "f:8:10: error: '5s' can't be a step's name: letters, digits, '-', '_' and '.', at most 47, and "
     "neither 'all' nor a duration\n"
     "f:10:10: error: step 'a' is here twice (first in line 9)\n"},
    {STEPS "- name: crash\n"
     "  inject: node.poweroff\n"
     "  tarrget: leader\n",
     "f:5:11: error: unknown fault 'node.poweroff' (did you mean 'node.power_off'?); there are: "
     "process.kill, process.stop, process.pause, node.power_off, net.drop, link.down, test.kinds\n"
     "f:6:3: error: unknown key 'tarrget' in a step (did you mean 'target'?); allowed: name, inject, "
     "heal, do, wait, target, with, at, after, when, for, within, duration\n"},
    {STEPS "- inject: node.power_off\n"
     "- inject: node.power_off\n"
     "  target: leadr\n"
     "- inject: node.power_off\n"
     "  target: [n1, n7, {}]\n"
     "- inject: node.power_off\n"
     "  target: []\n",
     "f:4:3: error: node.power_off needs a 'target': a node or a role such as leader\n"
     "f:6:11: error: 'leadr' is neither a node nor a role (did you mean 'leader'?); nodes: n1, n2, "
     "n3, app; roles: leader, not_leader, replica, any_replica, sync_standby, async_standby, "
     "etcd_leader, etcd_follower, etcd_majority, old_leader, app, proxy, all\n"
     "f:8:16: error: 'n7' is neither a node nor a role (did you mean 'n1'?); nodes: n1, n2, n3, app; "
     "roles: leader, not_leader, replica, any_replica, sync_standby, async_standby, etcd_leader, "
     "etcd_follower, etcd_majority, old_leader, app, proxy, all\n"
     "f:8:20: error: expected a node or a role, found a mapping\n"
     "f:10:11: error: expected a node, a role, or a list of them, found a list\n"},
    {STEPS "- inject: process.kill\n"
     "  target: leader\n"
     "  with: {signal: KIL, servce: postgres}\n"
     "- inject: process.kill\n"
     "  target: leader\n"
     "- inject: process.kill\n"
     "  target: app\n"
     "  with: {service: postgres}\n"
     "- inject: node.power_off\n"
     "  target: n1\n"
     "  with: {hard: yes}\n",
     "f:4:3: error: process.kill needs the parameter 'service' (patroni|postgres|etcd|haproxy)\n"
     "f:6:18: error: 'KIL' is not allowed for parameter 'signal' (did you mean 'KILL'?); allowed: "
     "KILL, TERM, INT, QUIT, SEGV, ABRT\n"
     "f:6:23: error: process.kill has no parameter 'servce' (did you mean 'service'?); allowed: "
     "service, process, signal\n"
     "f:7:3: error: process.kill needs the parameter 'service' (patroni|postgres|etcd|haproxy)\n"
     "f:10:11: error: process.kill: 'app' never runs postgres in topology 'patroni-3'\n"
     "f:14:10: error: node.power_off has no parameter 'hard': it takes none\n"},
    {STEPS "- inject: test.kinds\n"
     "  target: n1\n"
     "  with: {delay: 5, size: big, count: -1, loss: 120%, hard: perhaps, text: [a, {}]}\n",
     "f:6:17: error: parameter 'delay': duration '5' has no unit: write '5s' (units: us, ms, s, m, "
     "h)\n"
     "f:6:26: error: parameter 'size': 'big' is not a size: expected bytes or a number and B, kB, MB "
     "or GB, such as 16MB\n"
     "f:6:38: error: parameter 'count': '-1' is not a count: expected a whole number such as 0 or 12\n"
     "f:6:48: error: parameter 'loss': '120%' is more than 100%\n"
     "f:6:60: error: parameter 'hard': 'perhaps' is neither yes nor no: expected true or false\n"
     "f:6:79: error: expected a value, found a mapping\n"},
    {STEPS "- inject: net.drop\n"
     "  target: n1\n"
     "  with: [n2, n9]\n"
     "- inject: net.drop\n"
     "  target: n1\n"
     "  with: otters\n"
     "- inject: net.drop\n"
     "  target: n1\n"
     "  with: {with: [n2, n3], direction: [in, out]}\n",
     "f:6:9: error: parameter 'with': there is no node 'n9' (did you mean 'n1'?); nodes: n1, n2, n3, "
     "app; or one of others|all\n"
     "f:9:9: error: parameter 'with': there is no node 'otters'; nodes: n1, n2, n3, app; or one of "
     "others|all\n"
     "f:12:37: error: 'in,out' is not allowed for parameter 'direction'; allowed: both, in, out\n"},
    {STEPS "- inject: patroni.switchover\n"
     "- do: node.power_off\n"
     "  target: n1\n"
     "- do: patroni.swichover\n"
     "- do: cluster.swichover\n"
     "- do: cluster.switchover\n"
     "  target: leader\n"
     "  duration: 5s\n",
     "f:4:3: error: cluster.switchover is an act of the administrator: write 'do: "
     "cluster.switchover'\n"
     "f:5:3: error: node.power_off is a fault: write 'inject: node.power_off'\n"
     "f:7:7: error: unknown action 'patroni.swichover' (did you mean 'cluster.switchover'?); there "
     "are: cluster.switchover, node.power_on, process.resume\n"
     "f:8:7: error: unknown action 'cluster.swichover' (did you mean 'cluster.switchover'?); there "
     "are: cluster.switchover, node.power_on, process.resume\n"
     "f:10:3: error: cluster.switchover takes no target\n"
     "f:11:3: error: 'duration' belongs to 'inject', not to this step\n"},
    {STEPS "- inject: link.down\n"
     "  target: n1\n"
     "  for: 5s\n"
     "- wait: 5s\n"
     "  for: 5s\n"
     "- heal: all\n"
     "  within: 5s\n"
     "- wait: 1s\n"
     "  target: n1\n",
     "f:6:3: error: 'for' belongs to 'when'; for an injection that ends by itself write 'duration'\n"
     "f:8:3: error: 'for' belongs to the inside of 'wait: {...}', not to this step\n"
     "f:10:3: error: 'within' needs a 'when' (in a wait it stands inside: wait: {becomes: ..., "
     "within: 60s})\n"
     "f:12:3: error: 'target' belongs to 'inject' and 'do', not to this step\n"},
    // when a step starts
    {STEPS "- {wait: 1s, at: 5s, after: 3s}\n"
     "- {wait: 1s, after: 7}\n"
     "- {wait: 1s, after: nobody}\n"
     "- {wait: 1s, after: {delay: 5s}}\n"
     "- {wait: 1s, after: [a]}\n",
     "f:4:22: error: 'at' and 'after' exclude each other: one counts from the beginning, the other "
     "from a step's end\n"
     "f:5:21: error: duration '7' has no unit: write '7s' (units: us, ms, s, m, h)\n"
     "f:6:21: error: there is no step 'nobody'; steps: step-1, step-2, step-4, step-5\n"
     "f:7:21: error: key 'step' is missing in 'after'\n"
     "f:8:21: error: expected the name of a step, a duration after the previous step, or {step: NAME, "
     "delay: 5s}, found a list\n"},
    {STEPS "- {name: a, wait: 1s, after: b}\n"
     "- {name: b, wait: 1s}\n"
     "- {name: c, wait: 1s, after: c}\n",
     "f:4:30: error: step 'a' can never start: it waits for 'b', which waits for it\n"
     "f:5:3: error: step 'b' can never start: it waits for 'a', which waits for it\n"
     "f:6:30: error: step 'c' can never start: it waits for 'c', which waits for it\n"},
    {STEPS "- {name: a, wait: 1s, at: 11m}\n"
     "- {name: b, wait: 1s}\n"
     "- {wait: {becomes: cluster is healthy, within: 20m}, at: 1s}\n",
     "f:4:3: error: step 'a' can't be reached: at the earliest it is over after 11 min 01 s, the "
     "scenario's timeout is 10 min 00 s\n"
     "f:6:20: warning: the deadline of step 'step-3' (20 min 00 s) is beyond the scenario's timeout "
     "of 10 min 00 s\n"},
    {STEPS "- {name: a, wait: 1s}\n"
     "- {heal: a}\n"
     "- {heal: crsh}\n"
     "- {heal: later}\n"
     "- {name: later, inject: link.down, target: n1}\n",
     "f:5:10: error: step 'a' injects nothing that could be healed\n"
     "f:6:10: error: there is no step 'crsh'; steps: a, step-2, step-4, later\n"
     "f:7:10: error: step 'later' comes after this one: there is nothing to heal yet\n"},
    {STEPS "- wait: {becomes: leader changed}\n"
     "- wait: {stays: not leader changed, for: 1s}\n"
     "- {inject: link.down, target: old_leader}\n",
     "f:4:19: error: 'leader changed' looks back to the first injection, but no step before this one "
     "injects anything\n"
     "f:6:31: error: 'old_leader' looks back to the first injection, but no step before this one "
     "injects anything: write 'leader'\n"},
    // waits
    {STEPS "- wait: {becomes: a leader exists, stays: a leader exists}\n"
     "- wait: {within: 5s}\n"
     "- wait: {stays: a leader exists, within: 5s}\n"
     "- wait: {stays: a leader exists, for: 0}\n"
     "- wait: {becomes: a leader exists, within: 0}\n"
     "- wait: {becomes: a leader exists, within: 5s, for: 6s}\n"
     "- wait: [5s]\n"
     "- {wait: 5s, when: a leader exists}\n"
     "- {wait: a leader exists, when: a leader exists}\n",
     "f:4:36: error: 'becomes' and 'stays' exclude each other: write two steps\n"
     "f:5:9: error: a wait needs 'becomes' or 'stays' (for a mere pause write 'wait: 5s')\n"
     "f:6:10: error: 'stays' needs 'for': how long the condition has to hold\n"
     "f:6:34: error: 'within' belongs to 'becomes'; 'stays' holds from its beginning, 'for' a time\n"
     "f:7:39: error: 'for: 0' would watch no moment at all\n"
     "f:8:44: error: 'within: 0' leaves no moment in which the condition could be seen\n"
     "f:9:53: error: the condition shall hold longer than its deadline ('within') allows\n"
     "f:10:9: error: expected a duration, a condition, or {becomes: CONDITION, within: 60s} or "
     "{stays: CONDITION, for: 10s}, found a list\n"
     "f:11:14: error: a pause has no 'when': write a step for each\n"
     "f:12:27: error: a wait has no 'when' beside its own condition: join them with 'and'\n"},
    // conditions, each mistake at its column
    {WHEN "leadr changed and lag of n1 over 3MB and key gone and n1 is clean\n",
     "f:5:9: error: a condition can't begin with 'leadr' (did you mean 'leader'?)\n"
     "f:5:37: error: expected 'above' or 'below', found 'over'\n"
     "f:5:54: error: expected the name of a key here, such as leader, sync or failover\n"
     "f:5:69: error: expected 'leader', 'replica', 'sync_standby', 'streaming', 'up', 'down' or "
     "'writable', found 'clean'\n"},
    {WHEN "slot and cluster is healthy\n",
     "f:5:14: error: expected the name of a replication slot here, such as n2\n"},
    {WHEN "slot holds above 1MB and slot n-2 holds above 1MB and slot n2 keeps 1MB and slot n2 holds above much\n",
     "f:5:14: error: expected the name of a replication slot here, such as n2\n"
     "f:5:39: error: a slot's name has lower-case letters, digits and '_' only (Patroni writes '_' for a node's '-')\n"
     "f:5:71: error: expected 'holds', found 'keeps'\n"
     "f:5:105: error: 'much' is not a size: expected bytes or a number and B, kB, MB or GB, such as 16MB\n"},
    {WHEN "'cluster is healty and'\n",
     "f:5:21: error: expected 'healthy' or 'complete', found 'healty' (did you mean 'healthy'?)\n"
     "f:5:31: error: expected a condition here, such as 'leader changed' or 'n2 is streaming'\n"},
    {WHEN "cluster is not complete but slow\n",
     "f:5:33: error: expected 'and' or the end, found 'but'\n"},
    {WHEN "lag of leader above 1MB and lag of n2 above lots and lag of app above 1MB and lag of n1 below\n",
     "f:5:16: error: the leader has no lag: it is what lag is measured against\n"
     "f:5:53: error: 'lots' is not a size: expected bytes or a number and B, kB, MB or GB, such as "
     "16MB\n"
     "f:5:69: error: 'app' has no lag: it can never be a replica in topology 'patroni-3'\n"
     "f:5:102: error: expected a size here, such as 16MB\n"},
    {WHEN "lease age above 30s and lease left above 5 and lease of n1\n",
     "f:5:25: error: the lease lives for patroni.ttl, which is 30.00 s here: it is never above that\n"
     "f:5:50: error: duration '5' has no unit: write '5s' (units: us, ms, s, m, h)\n"
     "f:5:62: error: expected 'age' or 'left', found 'of'\n"},
    {WHEN "n9 is up and etcd has a quorum and writes flow now\n",
     "f:5:9: error: 'n9' is neither a node nor a role (did you mean 'n1'?); nodes: n1, n2, n3, app; "
     "roles: leader, not_leader, replica, any_replica, sync_standby, async_standby, etcd_leader, "
     "etcd_follower, etcd_majority, old_leader, app, proxy, all\n"
     "f:5:31: error: expected 'quorum', found 'a'\n"
     "f:5:56: error: expected 'and' or the end, found 'now'\n"},
    {WHEN "leader is n2 n3 and leader is any_replica and leader is app and leader is replica\n",
     "f:5:22: error: expected 'and' or the end, found 'n3'\n"
     "f:5:39: error: 'leader is any_replica' can never hold\n"
     "f:5:65: error: 'app' can never be the leader in topology 'patroni-3'\n"
     "f:5:83: error: 'leader is replica' can never hold\n"},
    {WHEN "any_replica is leader and app is streaming and n1 is sync_standby and n1 is standby\n",
     "f:5:9: error: 'any_replica is leader' can never hold\n"
     "f:5:35: error: 'app' can never be streaming in topology 'patroni-3'\n"
     "f:5:56: error: no node can be sync_standby in topology 'patroni-3': patroni.synchronous_mode is "
     "off\n"
     "f:5:85: error: expected 'leader', 'replica', 'sync_standby', 'streaming', 'up', 'down' or "
     "'writable', found 'standby'\n"},
    {WHEN "'\303\251\303\251 is up and and n1'\n",
     "f:5:10: error: '\303\251\303\251' is neither a node nor a role; nodes: n1, n2, n3, app; roles: "
     "leader, not_leader, replica, any_replica, sync_standby, async_standby, etcd_leader, "
     "etcd_follower, etcd_majority, old_leader, app, proxy, all\n"
     "f:5:23: error: expected a condition here, such as 'leader changed' or 'n2 is streaming'\n"
     "f:5:29: error: expected 'is' here\n"},
    {WHEN ">\n"
     "    n1 is\n"
     "    upp\n",
     "f:5:9: error: expected 'leader', 'replica', 'sync_standby', 'streaming', 'up', 'down' or "
     "'writable', found 'upp' (did you mean 'up'?)\n"},
    {WHEN "n1 is is\n"
     "- wait: [a]\n"
     "- {inject: link.down, target: sync_standby}\n"
     "- {inject: link.down, target: proxy}\n"
     "- {inject: link.down, target: sync_standbi}\n",
     "f:5:15: error: expected 'leader', 'replica', 'sync_standby', 'streaming', 'up', 'down' or "
     "'writable', found 'is'\n"
     "f:6:9: error: expected a duration, a condition, or {becomes: CONDITION, within: 60s} or {stays: "
     "CONDITION, for: 10s}, found a list\n"
     "f:7:31: error: no node of topology 'patroni-3' can be 'sync_standby': patroni.synchronous_mode "
     "is off (set it to true)\n"
     "f:8:31: error: no node of topology 'patroni-3' can be 'proxy': it has no HAProxy node\n"
     "f:9:31: error: 'sync_standbi' is neither a node nor a role (did you mean 'sync_standby'?); "
     "nodes: n1, n2, n3, app; roles: leader, not_leader, replica, any_replica, sync_standby, "
     "async_standby, etcd_leader, etcd_follower, etcd_majority, old_leader, app, proxy, all\n"},
    {ONE "- {inject: link.down, target: any_replica}\n"
     "- {inject: link.down, target: etcd_follower}\n"
     "- wait: p is replica\n",
     "f:7:31: error: no node of topology 'f' can be 'any_replica': it has only one PostgreSQL node\n"
     "f:8:31: error: no node of topology 'f' can be 'etcd_follower': it has only one etcd member\n"
     "f:9:9: error: 'p' can never be replica in topology 'f'\n"},
    {HEAD "workload: {writes: 0, reads: 0}\n"
     "steps:\n"
     "- wait: writes flow and reads flow\n",
     "f:5:9: error: writes never flow: workload.writes is 0\n"
     "f:5:9: error: reads never flow: workload.reads is 0\n"},
    // expectations
    {EXPECT "  write_availability: >= 90%\n",
     "f:6:24: error: this is not YAML: text that begins with '>' or '|' needs quotes, as in '>= 90%'\n"},
    {EXPECT "  write_outage: 34s\n"
     "  lost_writes: few\n"
     "  new_leader: n9\n"
     "  phases: outside\n"
     "  write_availability: 90\n"
     "  read_availability: '>= 101%'\n"
     "  rejoin: {at_least: 9s, at_most: 3s}\n"
     "  splitbrain: no\n",
     "f:6:17: error: '34s' exactly is never measured: write '<= 34s', '>= 34s' or {at_least: ..., "
     "at_most: ...}\n"
     "f:7:16: error: 'few' is not a count: expected a whole number such as 0 or 12\n"
     "f:8:15: error: 'n9' is no PostgreSQL node of topology 'patroni-3' (did you mean 'n1'?); "
     "allowed: yes, no, n1, n2, n3\n"
     "f:9:11: error: 'outside' says nothing about phases; allowed: inside (each phase within its "
     "computed bounds)\n"
     "f:10:23: error: '90' has no unit: write '90%'\n"
     "f:11:22: error: '101%' is more than 100%\n"
     "f:12:11: error: the lower limit is above the upper one: nothing can meet 'at least 9s, at most "
     "3s'\n"
     "f:13:3: error: unknown expectation 'splitbrain' (did you mean 'split_brain'?); allowed: "
     "write_outage, read_outage, recovery, lost_writes, local_only_writes, local_only_lost, unexpected_writes, "
     "duplicated_writes, foreign_rows, "
     "same_history, diverged_nodes, split_brain, new_leader, rejoin, phases, write_availability, read_availability, for\n"},
    {EXPECT "  write_outage: <= 34\n"
     "  read_outage: {most: 3s}\n"
     "  recovery: {at_most: 3}\n"
     "  rejoin: [3s]\n"
     "  lost_writes: {}\n"
     "  new_leader: app\n",
     "f:6:17: error: duration '34' has no unit: write '34s' (units: us, ms, s, m, h)\n"
     "f:7:17: error: unknown key 'most' in a range; allowed: at_least, at_most, inside\n"
     "f:8:23: error: duration '3' has no unit: write '3s' (units: us, ms, s, m, h)\n"
     "f:9:11: error: expected a limit such as '<= 34s', or {at_least: ..., at_most: ...}, found a "
     "list\n"
     "f:10:16: error: a range needs at_least or at_most\n"
     "f:11:15: error: 'app' is no PostgreSQL node of topology 'patroni-3'; allowed: yes, no, n1, n2, "
     "n3\n"},
    {EXPECT "  rejoin: inside\n"
     "  recovery: {inside: no}\n"
     "  lost_writes: {inside: yes}\n"
     "  write_outage: {inside: [1], at_most: 3s}\n"
     "  read_outage: {inside: maybe}\n",
     "f:6:11: error: no law bounds rejoin: inside is for write_outage, recovery and phases\n"
     "f:7:22: error: leave 'inside' out where the bounds of the phases are no limit\n"
     "f:8:17: error: no law bounds lost_writes: inside is for write_outage, recovery and phases\n"
     "f:9:26: error: expected yes, found a list\n"
     "f:10:25: error: 'maybe' is neither yes nor no: expected true or false\n"},
    {ONE "- wait: 1s\n"
     "expect: {new_leader: yes}\n",
     "f:8:22: error: topology 'f' has only one PostgreSQL node: there can be no new leader\n"},
    {EXPECT "  same_history: maybe\n"
     "  diverged_nodes: -1\n",
     "f:6:17: error: 'maybe' is neither yes nor no: expected true or false\n"
     "f:7:19: error: '-1' is not a count: expected a whole number such as 0 or 12\n"},
    // known defects
    {STEPS CRASH "known_defects: patroni-2693\n",
     "f:5:16: error: expected a list of known defects, each with id, software, versions, ..., found text\n"},
    {STEPS CRASH "known_defects:\n"
     "- {id: d, sofware: patroni}\n",
     "f:6:3: error: key 'versions' is missing in a known defect\n"
     "f:6:3: error: key 'reference' is missing in a known defect\n"
     "f:6:3: error: key 'text' is missing in a known defect\n"
     "f:6:3: error: key 'signature' is missing in a known defect\n"
     "f:6:3: error: key 'explains' is missing in a known defect\n"
     "f:6:11: error: unknown key 'sofware' in a known defect (did you mean 'software'?); allowed: id, software, versions, "
     "reference, text, signature, explains, always\n"},
    {DEFECT("has space", "patrony", "3.0.3 and older", "patroni/2693", "t", "leader_key_overwriten", "[]", "no"),
     "f:7:7: error: 'has space' can't be the id of a defect: letters, digits, '-', '_' and '.', at most 63\n"
     "f:8:13: error: 'patrony' is not a program of which versions are recorded (did you mean 'patroni'?); allowed: patroni, "
     "postgresql, etcd, haproxy\n"
     "f:9:19: error: '3.0.3 and older' names no versions: only a comma and another limit may follow (examples: '< 3.0.3', "
     "'>= 2.0, < 3.0.3', '3.0.2')\n"
     "f:10:14: error: 'patroni/2693' is no address: expected the page that describes the defect, https://..., at most 200 "
     "characters\n"
     "f:12:14: error: 'leader_key_overwriten' is not a signature (did you mean 'leader_key_overwritten'?); allowed: "
     "leader_key_overwritten, standby_ahead, shutdown_hangs\n"
     "f:13:13: error: a defect that explains nothing changes nothing: name the expectations that it breaks\n"},
    {DEFECT("d", "patroni", "< new", "https://example.org", "''", "standby_ahead", "[foreign_rows, foreign_row, foreign_rows]",
            "maybe"),
     "f:9:15: error: '< new' names no versions: a version such as 3.0.3 is expected here (examples: '< 3.0.3', '>= 2.0, < "
     "3.0.3', '3.0.2')\n"
     "f:11:9: error: a defect's text is one line of 1 to 240 characters: the details are in its reference\n"
     "f:13:28: error: 'foreign_row' is not an expectation (did you mean 'foreign_rows'?); allowed: write_outage, "
     "read_outage, recovery, lost_writes, local_only_writes, local_only_lost, unexpected_writes, duplicated_writes, "
     "foreign_rows, same_history, diverged_nodes, "
     "split_brain, new_leader, rejoin, phases, write_availability, read_availability, conditions\n"
     "f:13:41: error: 'foreign_rows' is here twice\n"
     "f:14:11: error: 'maybe' is neither yes nor no: expected true or false\n"},
    {DEFECT("d", "patroni", "< 3.0.3", "https://example.org", "t", "standby_ahead", "{a: b}", "no")
     "- {id: d, software: patroni, versions: '1', reference: 'https://example.org', text: t, signature: standby_ahead, explains: "
     "foreign_rows}\n",
     "f:13:13: error: expected a list of expectations such as [same_history, lost_writes], found a mapping\n"
     "f:15:8: error: defect 'd' is here twice (first in line 7)\n"},
    {DEFECT("d", "patroni", "< 3.0.3", "https://example.org", "t", "standby_ahead", "[rejoin]", "no"),
     "f:13:14: warning: this scenario does not expect 'rejoin': there is nothing to explain\n"},
};
// clang-format on

static void every_mistake_is_told_at_its_place(void **state) {
    (void)state;
    bad_check(table, ARRAY_SIZE(table));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_mistake_is_told_at_its_place)};
    return cmocka_run_group_tests_name("scenario_bad_steps", tests, NULL, NULL);
}
