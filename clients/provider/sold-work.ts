// Owns what a node asks its region before it works: that what it is to run was sold by its account, for this job, this much fuel and
// this deadline. It refuses to take an object's word for it.

import type { OpenObligation } from "../../protocol/answers.ts";
import type { Hex } from "../../protocol/fields.ts";
import { productNumber, productOf } from "../../protocol/products.ts";
import type { ObjectFrame } from "../../protocol/provider-frames.ts";
import type { PolderClient } from "../sdk/client.ts";

type RunFrame = Extract<ObjectFrame, { type: "run" }>;

/** A lease as its seller's node needs it. */
export interface SoldLease {
  readonly quantityMega: number;
  readonly deadlineS: number;
  readonly deliveredMega: number;
  readonly buyer: Hex;
  /** The session key that bought, null where the wallet did: nobody can take its word back by revoking it. */
  readonly boughtBy: Hex | null;
}

/** What a node asks its region. */
export interface SoldWork {
  /** @throws Error that says why a run is not to be done; PolderProblem, TransportFault where the region says nothing */
  requireRun(run: RunFrame): Promise<void>;
  /** @throws as above */
  lease(lease: number): Promise<SoldLease>;
}

/** Asks a region about what one seller sold. */
export class RegionSales implements SoldWork {
  readonly #client: PolderClient;
  readonly #region: string;
  readonly #seller: Hex;

  constructor(client: PolderClient, region: string, seller: Hex) {
    this.#client = client;
    this.#region = region;
    this.#seller = seller;
  }

  async requireRun(run: RunFrame): Promise<void> {
    const { obligationId, jobDigest, description, fuelMega, deadlineS } = run;
    const sold = await this.#sold(obligationId);
    const fault =
      sold.job?.jobDigest !== jobDigest
        ? "another job"
        : sold.quantityMega !== fuelMega || description.limits.fuelMega > fuelMega
          ? "another amount of fuel"
          : sold.deadlineS !== deadlineS
            ? "another deadline"
            : sold.result !== null
              ? "a job that is reported already"
              : null;
    if (fault !== null) throw new Error(`not sold: obligation ${obligationId} is of ${fault}`);
  }

  async lease(lease: number): Promise<SoldLease> {
    const { product, buyer, boughtBy, quantityMega, deadlineS, deliveredMega } = await this.#sold(lease);
    if (!productOf(productNumber(product)).isLease)
      throw new Error(`not sold: obligation ${lease} is no lease`);
    return { quantityMega, deadlineS, deliveredMega, buyer, boughtBy };
  }

  async #sold(obligationId: number): Promise<OpenObligation> {
    const sold = await this.#client.get<OpenObligation>(
      `/v1/regions/${this.#region}/obligations/${obligationId}`,
    );
    if (sold.seller !== this.#seller) throw new Error(`not sold: obligation ${obligationId} is another's`);
    return sold;
  }
}
