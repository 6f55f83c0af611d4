// Owns what operator and installer of a simulated region send: opening, terms, money and accounts the one, leaves the other.
// It refuses the installer an account: a meter's enrolment names none.

import { PARAMETERS, seedOf } from "../../bench/fleet.ts";
import type { GatewayConsent } from "../../evidence/enrolment.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { CONTEXT, consentOf, type Meter, meterOf } from "./meters.ts";
import { RECEIPT_SEED } from "./object-host.ts";
import { GRID, gatewayOf, type Household, homeOf, INSTALLER, METERED, OPERATOR, TREASURY } from "./people.ts";
import type { Body } from "./requests.ts";
import type { Step } from "./steps.ts";

/** What an office sends. */
export interface Form {
  readonly name: string;
  readonly body: Body;
  readonly evidence?: GatewayConsent;
}

const NOTHING: Hex = `0x${"00".repeat(32)}`;

export const TERMS = {
  ...PARAMETERS,
  networkFeeMicrosPerKwh: 20_011,
  takeRateBps: 123,
  proofDelaySeconds: 900,
};

export const OPENING: Form = {
  name: "opening",
  body: {
    type: "open_region",
    timeZone: "Europe/Amsterdam",
    windowSlots: 4,
    epochSlots: 8,
    quote: "test",
    operator: OPERATOR.account,
    gridOperator: GRID.account,
    treasury: TREASURY.account,
    mirror: NO_ADDRESS,
    receiptKey: sessionKeyOf(`0x${RECEIPT_SEED}`),
    parameters: TERMS,
  },
};

export const credit = ({ account }: Household, amountMicros: number): Form => ({
  name: "credit",
  body: { type: "credit_test_quote", account, amountMicros },
});

export const admission = ({ account }: Household): Form => ({
  name: "admission",
  body: { type: "admit_account", account },
});

export const appointment = (installers: readonly Hex[]): Form => ({
  name: "appointment",
  body: { type: "appoint_installers", installers },
});

/** The registrar's tag of a home's connection; it has two. */
const connectionOf = ({ name }: Household, index: number): Hex => seedOf(`connection of ${name}, ${index}`);

/** The form that enrols a meter, with its gateway's consent. */
export function enrolment(meter: Meter, connection: Hex, replaces = NOTHING): Form {
  const { gateway, commitment, limits } = meter;
  const [x, y] = gateway.key;
  return {
    name: replaces === NOTHING ? "enrolment" : "rotation",
    body: {
      type: "enrol_meter",
      gatewayX: x.toString(),
      gatewayY: y.toString(),
      commitment: commitment.toString(),
      connection,
      ...limits,
      windowSlots: CONTEXT.windowSlots,
      replaces,
    },
    evidence: consentOf(gateway, commitment),
  };
}

/** The operator's form for a step, or null. */
export function operatorForm(step: Step): Form | null {
  switch (step.do) {
    case "credit":
      return credit(homeOf(step.who), step.micros);
    case "admit":
      return admission(homeOf(step.who));
    case "appoint":
      return appointment(step.isThere ? [INSTALLER.account] : []);
    case "parameters": {
      const parameters = {
        ...TERMS,
        networkFeeMicrosPerKwh: step.networkFee,
        takeRateBps: step.takeRateBps,
        proofDelaySeconds: step.delayS,
      };
      return { name: "parameters", body: { type: "set_parameters", parameters } };
    }
    default:
      return null;
  }
}

/** The installer comes to every home, the agent's too. */
const meteredHome = (who: number): Household => METERED[who] as Household;

/** The installer, with its list of what stands where. */
export class Installer {
  readonly #connections = new Map<Hex, Hex>();

  /** The first enrolment of a home's gateway, on the connection of the same number. */
  first(home: Household, index: number, secret = 0): Form {
    return enrolment(meterOf(home, index, secret), connectionOf(home, index));
  }

  /** The form for a step, or null. */
  form(step: Step): Form | null {
    switch (step.do) {
      case "enrol":
        return this.first(meteredHome(step.who), step.gateway, step.secret);
      case "rotate": {
        const home = meteredHome(step.who);
        const { id } = gatewayOf(home, step.replaced);
        const connection = this.#connections.get(id) ?? connectionOf(home, step.replaced);
        return enrolment(meterOf(home, step.gateway, step.secret), connection, id);
      }
      case "unenrol": {
        const { id: gateway } = gatewayOf(meteredHome(step.who), step.gateway);
        const { isEmergency } = step;
        return {
          name: isEmergency ? "removal" : "disenrolment",
          body: { type: "revoke_meter", gateway, isEmergency },
        };
      }
      default:
        return null;
    }
  }

  /** An enrolment was accepted. */
  enrolled(gateway: Hex, connection: Hex): void {
    this.#connections.set(gateway, connection);
  }
}
