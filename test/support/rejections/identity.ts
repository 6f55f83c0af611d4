// Owns a case for every refusal about who asks, of which region, and when, in the order of the error table. It refuses a case
// that needs more than the market.

import { expect } from "vitest";
import { execute } from "../../../market/journal.ts";
import { MAX_REMEMBERED_COMMANDS_PER_ACCOUNT } from "../../../protocol/limits.ts";
import type { VerifiedSigner } from "../../../protocol/verified-facts.ts";
import {
  address,
  admit,
  appoint,
  authorise,
  cancel,
  credit,
  enrol,
  FIRST_SLOT,
  INSTALLER,
  Market,
  OPENED_AT_S,
  OPERATOR,
  open,
  openMarket,
  place,
  readings,
  revoke,
  session,
  setParameters,
  unenrol,
  wallet,
  word,
} from "../market.ts";
import { expectRejected } from "../untouched-state.ts";
import { notMirrorCase } from "./money.ts";
import { provable, type RejectionCase } from "./rejection-case.ts";

export const identityCases: readonly RejectionCase[] = [
  {
    code: "malformed_request",
    when: "an order's hours do not ascend",
    run: () => {
      const { market, ann } = provable();
      for (const hours of [
        [2, 1],
        [5, 5],
      ]) {
        market.refuse(place(ann, "sell", [[1, 1]], { hours }), "malformed_request");
      }
    },
  },
  {
    code: "wrong_region",
    when: "a command names another region, whoever signed it",
    run: () => {
      const { market, ann } = provable();
      for (const draft of [place(ann, "sell", [[1, 1]]), setParameters({}), open()]) {
        expectRejected(
          market.state,
          market.request(draft, { region: "polder-two" }),
          market.atS,
          "wrong_region",
        );
      }
    },
  },
  {
    code: "evidence_malformed",
    when: "readings come without verified evidence",
    run: () => {
      const { market, ann } = provable();
      market.refuse({ ...readings(ann, 1, FIRST_SLOT, [1]), evidence: null }, "evidence_malformed");
      market.refuse({ ...enrol(5), evidence: null }, "evidence_malformed");
    },
  },
  {
    code: "region_not_open",
    when: "anything but an opening is asked of a region that is not open",
    run: () => {
      const market = new Market(OPENED_AT_S);
      for (const draft of [credit(address(1), 5), place(address(1), "sell", [[1, 1]]), setParameters({})]) {
        market.refuse(draft, "region_not_open");
      }
    },
  },
  {
    code: "region_exists",
    when: "a region is opened again, on other or the same terms, by its operator or a stranger, in time or late",
    run: () => {
      const market = openMarket();
      market.refuse(open(), "region_exists");
      market.refuse(open({ windowSlots: 96, epochSlots: 96 }), "region_exists");
      market.refuse(open({ operator: address(9) }, wallet(address(9))), "region_exists");
      const late = market.request(open(), { expiresAtS: market.atS });
      expectRejected(market.state, late, market.atS, "region_exists");
    },
  },
  {
    code: "command_expired",
    when: "market time has reached the expiry",
    run: () => {
      const { market, ann } = provable();
      for (const expiresAtS of [0, market.atS - 1, market.atS]) {
        const request = market.request(place(ann, "sell", [[1, 1]]), { expiresAtS });
        expectRejected(market.state, request, market.atS, "command_expired");
      }
    },
  },
  {
    code: "command_expires_too_late",
    when: "the expiry is more than 48 hours ahead",
    run: () => {
      const { market, ann } = provable();
      const draft = place(ann, "sell", [[1, 1]]);
      const request = market.request(draft, { expiresAtS: market.atS + 48 * 3_600 + 1 });
      expectRejected(market.state, request, market.atS, "command_expires_too_late");
      const last = market.request(draft, { expiresAtS: market.atS + 48 * 3_600 });
      expect("entry" in market.execute(last)).toBe(true);
    },
  },
  {
    code: "not_operator",
    when: "an operator's command is signed by anybody else",
    run: () => {
      const { market, ann } = provable();
      market.accept(authorise(ann, word(7)));
      for (const signer of [wallet(ann), session(word(7))]) {
        market.refuse(setParameters({}, signer), "not_operator");
        market.refuse(credit(ann, 5, signer), "not_operator");
        market.refuse(appoint([ann], signer), "not_operator");
        market.refuse(admit(address(5), signer), "not_operator");
      }
      const stranger = new Market(OPENED_AT_S);
      stranger.refuse(open({}, wallet(ann)), "not_operator");
      stranger.refuse(open({}, session(word(7))), "not_operator");
    },
  },
  {
    code: "not_installer",
    when: "a meter is enrolled or revoked by anybody who is not appointed, the operator and former installers included",
    run: () => {
      const { market, ann } = provable();
      market.accept(authorise(ann, word(7)));
      const refuse = (signer: VerifiedSigner): void => {
        market.refuse(enrol(5, {}, signer), "not_installer");
        for (const isEmergency of [false, true])
          market.refuse(unenrol(1, isEmergency, signer), "not_installer");
      };
      for (const signer of [wallet(ann), wallet(OPERATOR), session(word(7))]) refuse(signer);
      market.accept(appoint([ann]));
      refuse(wallet(INSTALLER));
      market.accept(enrol(5, {}, wallet(ann)));
    },
  },
  {
    code: "not_referee",
    when: "the commands of the referee are signed by anybody else than the key of the region's receipts",
    run: () => {
      const market = openMarket();
      const command = { type: "commit_audits", epoch: 0, commitment: word(1) } as const;
      for (const signer of [wallet(OPERATOR), session(word(0xed)), wallet(INSTALLER)])
        market.refuse({ command, signer, evidence: null }, "not_referee");
    },
  },
  notMirrorCase,
  {
    code: "account_unknown",
    when: "the account was never opened",
    run: () => {
      const { market } = provable();
      const stranger = address(99);
      market.refuse(place(stranger, "sell", [[1, 1]]), "account_unknown");
      market.refuse(cancel(stranger, 1), "account_unknown");
      market.refuse(authorise(stranger, word(7)), "account_unknown");
      market.refuse(readings(stranger, 1, FIRST_SLOT, [1]), "account_unknown");
    },
  },
  {
    code: "not_account_owner",
    when: "another wallet signed, the operator's included",
    run: () => {
      const { market, ann, bob } = provable();
      for (const signer of [wallet(bob), wallet(OPERATOR)]) {
        market.refuse(place(ann, "sell", [[1, 1]], {}, signer), "not_account_owner");
        market.refuse(authorise(ann, word(7), {}, signer), "not_account_owner");
        market.refuse(readings(ann, 1, FIRST_SLOT, [1], 4, signer), "not_account_owner");
      }
    },
  },
  {
    code: "session_unknown",
    when: "a key was never authorised, or for another account",
    run: () => {
      const { market, ann, bob } = provable();
      market.accept(authorise(bob, word(7)));
      market.refuse(place(ann, "sell", [[1, 1]], {}, session(word(8))), "session_unknown");
      market.refuse(place(ann, "sell", [[1, 1]], {}, session(word(7))), "session_unknown");
      market.refuse(authorise(ann, word(9), {}, session(word(8))), "session_unknown");
      market.refuse(revoke(ann, word(7)), "session_unknown");
      market.refuse(revoke(ann, word(8)), "session_unknown");
    },
  },
  {
    code: "session_revoked",
    when: "a key was revoked",
    run: () => {
      const { market, ann } = provable();
      market.accept(authorise(ann, word(7)));
      market.accept(revoke(ann, word(7)));
      market.refuse(place(ann, "sell", [[1, 1]], {}, session(word(7))), "session_revoked");
      market.refuse(revoke(ann, word(7)), "session_revoked");
    },
  },
  {
    code: "session_expired",
    when: "a key's time is over, or was over before it began",
    run: () => {
      const { market, ann } = provable();
      market.refuse(authorise(ann, word(7), { sessionExpiresAtS: market.atS }), "session_expired");
      const expiresAtS = market.atS + 60;
      market.accept(authorise(ann, word(7), { sessionExpiresAtS: expiresAtS }));
      market.to(expiresAtS);
      market.refuse(place(ann, "sell", [[1, 1]], {}, session(word(7))), "session_expired");
    },
  },
  {
    code: "session_scope",
    when: "a key is used beyond its resources, sides, prices or commands",
    run: () => {
      const { market, ann } = provable();
      market.accept(authorise(ann, word(7), { resources: ["compute", "bandwidth"] }));
      market.accept(authorise(ann, word(8), { sides: ["sell"], leastAskMicrosPerKwh: 100 }));
      market.accept(authorise(ann, word(9), { sides: ["buy"], highestBidMicrosPerKwh: 100 }));
      market.accept(authorise(ann, word(10), { sides: [] }));
      const refuse = (side: "sell" | "buy", steps: [number, number][], key: number): string | number => {
        const draft = place(ann, side, steps, {}, session(word(key)));
        return market.refuse(draft, "session_scope").facts.limit as string;
      };
      expect(refuse("sell", [[1, 1]], 7)).toBe("resources");
      expect(refuse("buy", [[1, 1]], 8)).toBe("sides");
      expect(refuse("sell", [[99, 1]], 8)).toBe("leastAskMicrosPerKwh");
      expect(refuse("sell", [[1, 1]], 9)).toBe("sides");
      expect(refuse("buy", [[101, 1]], 9)).toBe("highestBidMicrosPerKwh");
      expect(refuse("buy", [[1, 1]], 10)).toBe("sides");
      const bid = market.accept(place(ann, "buy", [[1, 1]])).number;
      market.refuse(cancel(ann, bid, session(word(8))), "session_scope");
      market.refuse(readings(ann, 1, FIRST_SLOT, [1], 4, session(word(7))), "session_scope");
      market.refuse(authorise(ann, word(11), {}, session(word(8))), "session_scope");
      market.refuse(revoke(ann, word(9), session(word(8))), "session_scope");
    },
  },
  {
    code: "commands_exhausted",
    when: "an account has more unexpired commands than are remembered, until they expire",
    run: () => {
      const { market, ann, bob } = provable();
      const held = market.state.tables.accounts.columns.commands[market.account(ann)] as number;
      let order = market.accept(place(ann, "sell", [[1, 1]])).number;
      // Without the checks of every entry: this is about counting, and four thousand entries are many.
      for (let count = held + 1; count < MAX_REMEMBERED_COMMANDS_PER_ACCOUNT; count += 1) {
        const request = market.request(place(ann, "sell", [[1, 1]], { replaces: order }));
        const result = execute(
          market.state,
          request,
          { scheme: "wallet", signature: "0x" },
          null,
          market.atS,
        );
        if ("rejection" in result) throw new Error(result.rejection.code);
        order = result.entry.number;
      }
      market.refuse(place(ann, "sell", [[1, 1]], { replaces: order }), "commands_exhausted");
      market.accept(place(bob, "sell", [[1, 1]]));
      market.accept(credit(ann, 1));
    },
  },
];
