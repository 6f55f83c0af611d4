// Owns the command that writes a window as its gateway signed it, to be proved elsewhere: in a browser. It refuses a window
// that is not over, one of which the meter knows nothing, and to write over a file.

import { type Command, Option } from "commander";
import { pointOf } from "../../evidence/field-text.ts";
import { gatewayIdOf } from "../../evidence/gateway-window.ts";
import { LAST_INSTANT_S } from "../../protocol/fields.ts";
import { SLOT_SECONDS, slotStartS } from "../../protocol/units.ts";
import { fileMemory, type GatewayMemory, type SignedWindow } from "../household/agent-memory.ts";
import { type MeterDocument, signedWindowText } from "../household/meter-documents.ts";
import { signOnce, type WindowToSign } from "../household/software-gateway.ts";
import { METER_FORMS, type MeterPlace, openMeter } from "../meter/meter-kinds.ts";
import { fileBoundaries } from "../meter/slot-boundaries.ts";
import { type Place, placeOf, withPlace } from "./context.ts";
import {
  gatewaySeedOf,
  readMeterFile,
  requireAbsent,
  requireSameRegion,
  writeNew,
} from "./document-files.ts";
import { slotTime } from "./figures.ts";
import { whole } from "./options.ts";

interface WindowOptions extends Place {
  readonly meter?: string;
  readonly meterFile: string;
  readonly memory: string;
  readonly firstSlot?: number;
  readonly out?: string;
}

/** Readings are for their household. */
const OWNER_ONLY = 0o600;

/** Adds `agent window`. */
export function windowCommand(program: Command): void {
  const agent = program.commands.find((command) => command.name() === "agent") as Command;
  withPlace(
    agent
      .command("window")
      .description("write a window that is over as the gateway signed it, to prove it in a browser"),
  )
    .addOption(new Option("--meter <source>", `what to sign, unless the agent has signed it; ${METER_FORMS}`))
    .requiredOption("--meter-file <file>", "the meter's file, as polder meter prepare wrote it")
    .option("--memory <file>", "where signed windows are kept: none is signed twice", "polder-agent.ndjson")
    .option(
      "--first-slot <n>",
      "first slot of the window; the last one that is over without it",
      whole(0, LAST_INSTANT_S / SLOT_SECONDS),
    )
    .option("--out <file>", "where to write it; polder-window-<first slot>.json without it")
    .addHelpText("after", "\nkeys: POLDER_GATEWAY_SEED where the meter's file has no seed")
    .action(writeWindow);
}

async function writeWindow(options: WindowOptions): Promise<void> {
  const meter = readMeterFile(options.meterFile);
  const { client, region } = await placeOf(options);
  const { chainId, settlement, clock } = await client.deployment();
  requireSameRegion(
    options.meterFile,
    { ...meter, regionId: meter.region },
    { chainId, settlement, regionId: region },
  );
  const { profile, market } = await client.region(region);
  if (market === null) throw new Error(`${region} has not been opened yet`);
  const { windowSlots, slot, atS } = market;
  const firstSlot = options.firstSlot ?? slot - (slot % windowSlots) - windowSlots;
  if (firstSlot % windowSlots !== 0) throw new Error(`no window begins at slot ${firstSlot}`);
  if (slotStartS(firstSlot + windowSlots) > atS)
    throw new Error(`the window of slot ${firstSlot} is not over yet`);
  const out = options.out ?? `polder-window-${firstSlot}.json`;
  requireAbsent(out);
  const memory = fileMemory(options.memory).ofGateway(gatewayIdOf(meter.gateway));
  const wish = { chainId, settlement, regionId: region, firstSlot, windowSlots, clockRate: clock.rate };
  const { netWh, signed } =
    memory.signedWindow(firstSlot) ?? (await sign({ options, meter, memory, wish, profile, clock }));
  const { r8, s } = signed.signature;
  const text = signedWindowText({
    context: { chainId, settlement, regionId: region, windowSlots },
    firstSlot,
    netWh,
    gateway: pointOf(signed.gateway),
    signature: { r8: pointOf(r8), s: BigInt(s) },
  });
  writeNew(out, text, OWNER_ONLY);
  const [from, until] = [firstSlot, firstSlot + windowSlots].map((edge) => slotTime(edge, profile.timeZone));
  console.log(`${out} holds the readings from ${from} to ${until}, as the gateway signed them`);
  console.log(`prove it, with ${options.meterFile}, at ${client.url}/prove?region=${region}`);
}

interface Signing {
  readonly options: WindowOptions;
  readonly meter: MeterDocument;
  readonly memory: GatewayMemory;
  readonly wish: WindowToSign;
  readonly profile: MeterPlace;
  readonly clock: Parameters<typeof openMeter>[2]["clock"];
}

/** Signs as the household's agent would. @throws Error that says why not */
async function sign({ options, meter, memory, wish, profile, clock }: Signing): Promise<SignedWindow> {
  if (options.meter === undefined)
    throw new Error(`${options.memory} has no such window: name what to sign with --meter`);
  const seed = gatewaySeedOf(options.meterFile, meter);
  const report = (message: string): void => console.error(message);
  const { source, remarks, stop } = await openMeter(options.meter, profile, {
    clock,
    openBoundaries: () => fileBoundaries(`${options.memory}.meter`),
    report,
  });
  await stop?.();
  if (stop !== undefined)
    throw new Error("a live meter's windows are signed while its agent runs, and are then in its memory");
  for (const remark of remarks) report(remark);
  const { firstSlot, windowSlots } = wish;
  const unknown = Array.from({ length: windowSlots }, (_, index) => source.read(firstSlot + index)).filter(
    (reading) => reading?.netWh == null,
  ).length;
  if (unknown === windowSlots)
    throw new Error(`${options.meter} knows nothing of the window of slot ${firstSlot}`);
  if (unknown > 0) report(`${unknown} of ${windowSlots} slots are not known and signed as zero`);
  const signing = signOnce(seed, source, memory, wish);
  if (!signing.ok) throw new Error(`the gateway does not sign it: ${signing.reason}`);
  return signing.window;
}
