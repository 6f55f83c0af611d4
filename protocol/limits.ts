/** Owns every numeric bound of the system, each with its reason; refuses to know where a bound is applied. */

// --- Energy and money: together these keep every product of the market below 2⁵³ ≈ 9.007·10¹⁵. ---

/** Wh of one account in one slot: 4 MW for a quarter of an hour. Times any price with its fee: at most 1.1·10¹³. */
export const MAX_WH_PER_ACCOUNT_SLOT = 1_000_000;

/** Wh of one side of a slot. Pro rata multiplies one account's Wh by it: 10⁶ · 5·10⁹ = 5·10¹⁵ < 2⁵³. */
export const MAX_WH_PER_SIDE_SLOT = 5_000_000_000;

/** Limit prices are at most 10 quote units per kWh either way, far beyond any tariff or scarcity price. */
export const MAX_ABSOLUTE_PRICE_MICROS_PER_KWH = 10_000_000;

/** Highest grid fee: one quote unit per kWh; a bid minus it stays within a 32-bit column. */
export const MAX_NETWORK_FEE_MICROS_PER_KWH = 1_000_000;

/** Highest treasury share: a fifth, so an ask grossed up by it grows at most by a quarter. */
export const MAX_TAKE_RATE_BPS = 2_000;

/** All money of one region: 4·10⁹ quote units. Two such amounts still add up below 2⁵³. */
export const MAX_REGION_MICROS = 4_000_000_000_000_000;

/** Least share of a region's money that may be withdrawn in an epoch, in hundredths of a percent: none must be locked in. */
export const MIN_OUTFLOW_CAP_BPS = 100;

// --- Orders and readings ---

/** Steps of one order: enough for a tariff's bands, small enough that an order is one journal line. */
export const MAX_LADDER_STEPS = 8;

/** Live orders of one account: a sell and a buy for several parts of a day; bounds the work of a slot. */
export const MAX_ORDERS_PER_ACCOUNT = 32;

/**
 * Orders of one account that apply to some slot not yet cleared, ended ones included: an account that replaces all its
 * orders slot by slot must not fill the book, nor the journal entry that names those that end with a window.
 */
export const MAX_ORDERS_PER_ACCOUNT_WINDOW = 128;

/** Largest |net Wh| of a metered slot: readings are 20-bit values with a sign in the meter statement. */
export const MAX_READING_WH = 2 ** 20 - 1;

// --- The continuous book ---

/** Resting orders that one order may meet: it is one journal entry, and dust in its way must not make that a large one. */
export const MAX_ORDER_FILLS = 256;

/** Orders that one account lets rest in the continuous books: a ladder for each product. */
export const MAX_RESTING_ORDERS_PER_ACCOUNT = 256;

/** Orders that rest in a region's continuous books: some 60 bytes each, and as much again while dead ones wait to leave. */
export const MAX_RESTING_ORDERS_PER_REGION = 100_000;

/**
 * Unsettled trades of one account, bought or sold, above which its orders trade no more at once. Others may still meet what it
 * lets rest: each of them is bounded so itself, and an order that could not be met would stand in everybody's way.
 */
export const MAX_OBLIGATIONS_PER_ACCOUNT = 1_024;

/** Trades of a region that are not settled yet: some 90 bytes each. */
export const MAX_OBLIGATIONS_PER_REGION = 100_000;

/** An order rests this long at most: longer than that nobody has looked at its price. */
export const MAX_REST_SECONDS = 30 * 86_400;

/** Orders or obligations that end in one entry: the rest end in the next, at the same moment. */
export const MAX_ENDINGS_PER_ENTRY = 1_000;

// --- Commands ---

/** Life of a signed command: its id is remembered this long against replay, so this bounds that memory. */
export const MAX_COMMAND_LIFE_S = 48 * 3600;

/** Body of a request: the largest command (a day's window of 96 readings and its signature) fits many times. */
export const MAX_BODY_BYTES = 16_384;

/** Accounts of one region: the object's memory is 128 MB, and an account number fits 15 bits. */
export const MAX_ACCOUNTS_PER_REGION = 32_768;

/** Commands one account may send per `COMMAND_WINDOW_SECONDS`, accepted or not, so a flood harms only itself. */
export const MAX_COMMANDS_PER_ACCOUNT_WINDOW = 300;

/** Length of that flood window. Seconds of wall time: market time may run faster and must not relax it. */
export const COMMAND_WINDOW_SECONDS = 10;

// --- Feed ---

/** Listeners of one feed object: one frame to all of them must fit well inside the time between two frames. */
export const MAX_LISTENERS_PER_FEED = 1_000;

/** A listener this far behind is closed with `resync`: a slow reader must not fill the object's memory. */
export const MAX_LISTENER_BACKLOG_BYTES = 262_144;

/** Time between two frames: one send per event collapses under load, and 50 ms still looks live. Wall time. */
export const FEED_FRAME_MILLISECONDS = 50;

// --- Command sockets ---

/** Sockets of one intake: they share its thread, and a signature takes some 60 µs of it. */
export const MAX_SOCKETS_PER_INTAKE = 256;

/** Commands of one socket that wait for their answer: enough to keep a flush full, too few to fill the object. */
export const MAX_COMMANDS_IN_FLIGHT = 64;

/** Commands one intake hands to its region at once: some 2 MB of answers, well below what a call may carry. */
export const MAX_COMMANDS_PER_CALL = 1_024;

/** Refusals in a row, before the region was even asked, after which a socket is closed: it only costs its neighbours. */
export const MAX_REFUSALS_PER_SOCKET = 100;

// --- Previews ---

/** Closed epochs that one preview pays once more: a month of days, which a thousand providers take a fraction of a second for. */
export const MAX_PREVIEW_EPOCHS = 30;

/** Accounts that a preview names, those it changes most first: the answer of a full region would be many megabytes. */
export const MAX_PREVIEW_ROWS = 1_000;

/** Previews of a region in a minute, for all who ask: each reads the sums of its last epochs through the region's object. */
export const MAX_PREVIEWS_PER_MINUTE = 120;

// --- Votes ---

/** Proposals of one answer. */
export const MAX_PROPOSAL_ROWS = 100;

/** Delegates and ballots of one answer, the heaviest first. */
export const MAX_DELEGATE_ROWS = 1_000;
export const MAX_BALLOT_ROWS = 1_000;

/** Drafts that a deployment checks in a minute for all who ask: each is some calls of the chain's endpoints. */
export const MAX_DRAFTS_PER_MINUTE = 60;

/** Names of regions that are asked of the chain in a minute while it has not said that they are under votes: each is a call. */
export const MAX_NEW_REGIONS_PER_MINUTE = 60;

/** Ballots that a voter may ask the relay to send in an hour: refused ones too, each is some calls of the endpoints. */
export const MAX_BALLOTS_PER_VOTER_HOUR = 10;

/** Ballots of all voters that the relay looks at in a minute. */
export const MAX_BALLOTS_PER_MINUTE = 60;

// --- Storage ---

/** One journal row: half of what a row of the object's database may hold. */
export const MAX_JOURNAL_ROW_BYTES = 1_000_000;

/** One snapshot section: half of a row, and small enough that writing it stalls requests only a few milliseconds. */
export const MAX_SECTION_BYTES = 1_000_000;

// --- Regions ---

/** Chain id of the local chain: the only one on which the clock may run fast and development keys are accepted. */
export const LOCAL_CHAIN_ID = 31_337;

/** Longest epoch: four weeks of quarter-hours, so that rewards and reports never wait longer than a bill. */
export const MAX_EPOCH_SLOTS = 4 * 7 * 96;

/** Longest time for evidence after a window: a day. It also never exceeds the region's window, so one is open at a time. */
export const MAX_PROOF_DELAY_SECONDS = 86_400;

/** Cap of a window's sales or purchases in a meter's enrolment: 27 bits, what the meter circuit will range-check. */
export const MAX_WINDOW_CAP_WH = 2 ** 27 - 1;

/** Wallets that may enrol meters in one region. */
export const MAX_INSTALLERS = 64;

/** Proofs that did not verify, of one account for one window, after which no more are looked at. */
export const MAX_FAILED_PROOFS = 3;

/** Proofs of one account under verification at a time: a household's meters, not a flood. */
export const MAX_PROOFS_IN_FLIGHT = 16;

/** Proofs verified together: more gain little, and the first would wait long for its answer. */
export const MAX_PROOFS_PER_BATCH = 64;

/** Live session keys of one account: a few agents and apps; each is memory that only a wallet can free. */
export const MAX_SESSIONS_PER_ACCOUNT = 32;

/**
 * Unexpired commands remembered of one account. With thirty accepted a second for their whole life one account could
 * otherwise fill the object's memory; a client that lets its commands expire after minutes never comes near.
 */
export const MAX_REMEMBERED_COMMANDS_PER_ACCOUNT = 4_096;

// --- Queue ---

/** Commands waiting for one flush: about a second of work; beyond it the caller is told to come back. */
export const MAX_QUEUED_COMMANDS = 4_096;

/** Bytes a region may hold in its database before it only accepts readings and cancellations: 8 of 10 GB. */
export const MAX_STORAGE_BYTES = 8_000_000_000;

/** Entries one journal download may ask for at once is unlimited, but slots, orders and bills come in pages of this. */
export const MAX_PAGE_ROWS = 2_000;

// --- Modules of jobs: bounds of what is rewritten at upload, below those of every engine, so that none refuses later. ---

/** One module: a rewriter in a Worker holds it, its decoded form and the result, in 128 MB. */
export const MAX_MODULE_BYTES = 4_194_304;

/** Commands that an upload counts as in its account's flood window: rewriting the largest takes a second or two. */
export const UPLOAD_AS_COMMANDS = 60;

/** Types, functions, globals, exports, segments: each of them; engines take 100,000 and more. */
export const MAX_MODULE_ITEMS = 50_000;

/** Functions imported: preview 1 has 45, a module may name one twice. */
export const MAX_MODULE_IMPORTS = 128;

/** Parameters, and results, of one function or block: a call of two bytes must not push thousands of values. */
export const MAX_PARAMETERS = 128;
export const MAX_RESULTS = 32;

/** Parameters and locals of one function: its frame lies on a native stack that may have a quarter of a megabyte left. */
export const MAX_LOCALS = 4_000;

/** Values of one function that wait on its operand stack at once; they lie on the native stack too. */
export const MAX_OPERANDS = 4_000;

/** Blocks within blocks: a switch of so many cases. */
export const MAX_BLOCK_DEPTH = 5_000;

/** Targets of one branch table. */
export const MAX_BRANCH_TARGETS = 65_000;

/** One function body: what its floats flow through is followed as a whole, in a Worker's memory. */
export const MAX_FUNCTION_BYTES = 1_000_000;

/** One rewritten function body: engines refuse longer ones. */
export const MAX_FUNCTION_REWRITTEN_BYTES = 7_654_321;

/** All rewritten bodies: code grows by a fifth to a half; only what is all loops grows further. */
export const MAX_CODE_REWRITTEN_BYTES = 12_582_912;

/** Elements of all tables of a module together: a language's table of functions many times over. */
export const MAX_TABLE_ELEMENTS = 100_000;

/** Memory that a module may ever be given, in pages of 64 KiB: 256 MiB; a job's own limit is lower. */
export const MAX_MEMORY_PAGES = 4_096;

/** Steps of checking per byte of a module; only one that is made to be slow to check needs more than a handful. */
export const MAX_STEPS_PER_MODULE_BYTE = 64;

// --- Jobs ---

/** Sellers that run one job: a majority of seven is as much agreement as an app pays for. */
export const MAX_JOB_REPLICAS = 7;

/** Standard input of a job, in bytes: a photograph. What is larger is fetched by no job, for jobs have no network. */
export const MAX_JOB_INPUT_BYTES = 4_194_304;

/** Standard output and error of a job together, in bytes. */
export const MAX_JOB_OUTPUT_BYTES = 4_194_304;

/** Arguments and variables of a job, in UTF-8 bytes of them all. */
export const MAX_JOB_STRINGS_BYTES = 32_768;

/** Megafuel a second that every machine manages: a tenth of a server's core. A job that gives less time is nobody's failure. */
export const LEAST_MEGA_PER_SECOND = 1_000;

/** Fuel of one job: about ten minutes of a core. */
export const MAX_JOB_FUEL_MEGA = 6_000_000;

/** Wall seconds that a node may run a job for. */
export const MAX_JOB_WALL_SECONDS = 600;

/** Fuel of a job that the referee at the edge runs again; beyond it a job needs replicas to be checked. */
export const MAX_REFEREE_FUEL_MEGA = 20_000;

/** Memory of a job that the referee runs again, in bytes: an isolate has 128 MB for module, input and output too. */
export const MAX_REFEREE_MEMORY_BYTES = 67_108_864;

/** Wall seconds that the referee gives a run: ten times what its fuel takes. */
export const MAX_REFEREE_WALL_SECONDS = 20;

/** Asks that buying a job looks at, those passed over included: dust at the best prices is not to slow everybody down. */
export const MAX_JOB_ASKS_SEEN = 4_096;

/** Seconds of market time in which a reported result can be shown to be wrong; then it is paid. */
export const RESULT_CHALLENGE_SECONDS = 3_600;

/** Jobs of one account that are not over yet: its desk asks that many providers at a time. */
export const MAX_JOBS_UNDER_WAY = 128;

/** Input, and output that may come, of an account's jobs that are not over yet, in bytes. */
export const MAX_JOB_BYTES_UNDER_WAY = 268_435_456;

/** Jobs of one account that are over and can still be read: the oldest beyond them are forgotten. */
export const MAX_JOBS_KEPT = 1_000;

/** Output of an account's jobs that are over, in bytes: the oldest beyond it are forgotten. */
export const MAX_JOB_BYTES_KEPT = 268_435_456;

/** How long a job that is over can still be read. Wall time. */
export const JOB_KEPT_SECONDS = 86_400;

/** How long a request may wait for its job's end: proxies on its way end what takes longer. Wall time. */
export const MAX_JOB_WAIT_SECONDS = 60;

/** How long a job may wait for providers: what was signed to buy it must not outlive a command. Wall time. */
export const MAX_JOB_PATIENCE_SECONDS = 86_400;

/** Body of a request that carries a job: its input in base64, its arguments, and the rest. */
export const MAX_JOB_BODY_BYTES = 6_291_456;

/** How often a job is bought anew when its providers are full, away or give up. */
export const MAX_JOB_TRIES = 5;

// --- Providers ---

/** Runs that one provider has under way, and says it holds when it connects: those of several busy machines. */
export const MAX_HELD_RUNS = 1_024;

/** Runs that one node takes at once. */
export const MAX_NODE_ROOM = 256;

/** Cancels that a node leaves with its object: as many asks as it keeps in all books. */
export const MAX_WILL_COMMANDS = 32;

/** Bytes of runs that one provider's object keeps: inputs stay while results can be doubted, and an object may have ten gigabytes. */
export const MAX_KEPT_RUN_BYTES = 4 * 2 ** 30;

/** Frames that nobody waited for, of one connection: so many at once, and so many a second in the long run. */
export const MAX_UNASKED_FRAMES = 200;
export const UNASKED_FRAMES_PER_SECOND = 10;
