// Owns a household's documents as files: a meter's file that only its owner may read, never written over by accident. It
// refuses a meter's file that others may read, and one of another chain or region.

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import { gatewayIdOf, gatewayIdOfSeed } from "../../evidence/gateway-window.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type EnrolmentRequest, readEnrolmentRequest } from "../household/enrolment-request.ts";
import {
  DocumentFault,
  type MeterDocument,
  meterDocumentText,
  readMeterDocument,
} from "../household/meter-documents.ts";
import { writeWhole } from "../household/whole-file.ts";
import { gatewaySeedFromEnvironment } from "./context.ts";

/** Who may read a file with a secret. */
export const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** Reads a meter's file. @throws Error that names the file and what is wrong with it */
export function readMeterFile(file: string): MeterDocument {
  const text = textIn(file);
  // Windows keeps its permissions elsewhere.
  if (process.platform !== "win32" && (statSync(file).mode & OTHERS) !== 0)
    throw new Error(`${file} holds a meter's secret and others may read it: chmod 600 ${file}`);
  return named(file, () => readMeterDocument(text));
}

/** The seed of a meter's gateway: its file's, else the environment's. @throws Error where there is none, or another's */
export function gatewaySeedOf(file: string, { gateway, gatewaySeed: written }: MeterDocument): Hex {
  const seed = written ?? gatewaySeedFromEnvironment(gateway);
  if (seed === undefined)
    throw new Error(
      `${file} has no gateway's seed: set POLDER_GATEWAY_SEED to that of ${gatewayIdOf(gateway)}`,
    );
  if (gatewayIdOfSeed(seed) !== gatewayIdOf(gateway))
    throw new Error(`${file}: gatewaySeed: is the seed of another gateway`);
  return seed;
}

/** Writes a new meter's file. @throws Error where there is a file: a secret that is lost claims nothing any more */
export function writeMeterFile(file: string, meter: MeterDocument): void {
  writeNew(file, meterDocumentText(meter), OWNER_ONLY);
}

/** Writes a meter's file over the one there is, at once or not at all. */
export function replaceMeterFile(file: string, meter: MeterDocument): void {
  writeWhole(file, meterDocumentText(meter), OWNER_ONLY);
}

/** Reads a household's request and checks its gateway's consent. @throws Error that names the file */
export function readRequestFile(file: string): EnrolmentRequest {
  const text = textIn(file);
  return named(file, () => readEnrolmentRequest(text));
}

/** Reads a file of JSON. @throws Error that names it */
export function readJson(file: string): unknown {
  const text = textIn(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Writes a file that must not be there yet. @throws Error that names it */
export function writeNew(file: string, text: string, mode = 0o644): void {
  requireAbsent(file);
  writeFileSync(file, text, { mode, flag: "wx" });
}

/** @throws Error for a file that is there */
export function requireAbsent(file: string): void {
  if (existsSync(file)) throw new Error(`${file} is there already, and is not written over`);
}

/** What is made for another chain or region is of no use here. @throws Error that says which */
export function requireSameRegion(
  file: string,
  made: Pick<EvidenceContext, "chainId" | "settlement" | "regionId">,
  here: Pick<EvidenceContext, "chainId" | "settlement" | "regionId">,
): void {
  if (made.regionId !== here.regionId)
    throw new Error(`${file} is for the region ${made.regionId}, and this is ${here.regionId}`);
  if (made.chainId !== here.chainId || made.settlement !== here.settlement)
    throw new Error(
      `${file} is for chain ${made.chainId} and contract ${made.settlement}, and this is chain ${here.chainId} and contract ${here.settlement}`,
    );
}

function textIn(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DocumentFault) throw new Error(`${file}: ${error.message}`);
    throw error;
  }
}
