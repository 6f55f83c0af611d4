// Owns the commitment under which an account's sums stand in an epoch's certificate tree. It refuses nothing of its own: a
// commitment says nothing to the region, and one that was copied from another account is worth nothing to whoever copied it.

import type { CommandOf } from "../../protocol/commands.ts";
import type { Decision, Occasion } from "../decision.ts";

/**
 * Gives an account a commitment, or another one. It counts for every epoch that closes from now on, the running one
 * included; epochs that are closed stay as they were recorded.
 */
export function commitCertificate({ command, account }: Occasion<CommandOf<"commit_certificate">>): Decision {
  return { events: [{ type: "certificate_committed", account, commitment: command.commitment }] };
}
