// SPDX-License-Identifier: Apache-2.0
// Owns what providers, regions and votes may rely on about stakes, and what they must see to themselves. It refuses to say what a
// wrong is; the referee does, and a vote judges it.
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IRegions} from "../settlement/IRegions.sol";
import {IRewardParameters} from "../vote/IRewardParameters.sol";
import {Act, Slash, Stake, StakeEvent, Wrong} from "./StakeTypes.sol";

/// @title Stakes of those who sell compute and bandwidth
/// @notice A provider's account stakes the quote asset in a region, under the key that signs its results. Who signs a wrong result
/// can lose a governed share of that, after a delay in which a vote may say no.
/// @dev **Which values hold when.** All three are the region's (`IRewardParameters`), and each is taken from the version that
/// neither side can change afterwards.
/// - *`ProviderMinimumStake`* as it is when money is staked. If it rises, or a slash leaves less, nobody is put out here; a market
///   that wants more waits with its orders until the provider has topped up.
/// - *`UnbondingSeconds`* as it is when unbonding begins, and fixed then: no vote locks in whoever is leaving. A vote can
///   lengthen it for stakes that stay; it is seen for days before it holds, and whoever dislikes it begins before.
///   It counts as no less than `auditSeconds + slashDelaySeconds`, whatever was voted, so that a provider cannot be gone before
///   its last result has been looked at.
/// - *`SlashBps`* as it was in the epoch of the wrong: a vote makes no old wrong dearer, and forgives none.
///
/// **What a slash can be.** Only the region's operator queues one, for a wrong within the last `auditSeconds`, with its evidence.
/// - *At most the share*, rounded down, of what the account had at stake in the second of the wrong. Money staked later is safe
///   from it. All slashes of an account that wait at the same time are together no more than that. As each waits for
///   `slashDelaySeconds`, a lying operator takes one share in that time, and no more, however many wrongs it makes up. (A bound
///   by epochs would be another one in each region: they last from an hour to four weeks.)
/// - *Once for a job and an account*, also where a vote has cancelled it; and at most 16 of an account wait at a time, so that a
///   vote can cancel them all.
/// - *What is queued is held back* from a withdrawal; the rest of the stake leaves when its time has come.
/// - *The owner can cancel it* until it is executed. The owner is meant to be the vote's timelock: `slashDelaySeconds` should be
///   more than a whole vote takes. It cannot queue one, nor move any stake.
/// - *When it is due, anybody executes it*, unless the region is frozen then. The money goes to `slashReceiver` and nobody else;
///   an operator that is the receiver itself cannot queue.
/// - *A region that is over* (a freeze upheld, or its exit begun) slashes nobody: its operator is not to be believed, or is gone.
///   Anybody drops what is queued, and stakes may be withdrawn at once.
///
/// **What is not checked.**
/// - *Whether the wrong was one.* The evidence names the job, the output, the key and the journal's entry; whoever audits the
///   region sees whether the referee said so, and has `slashDelaySeconds` to convince a vote.
/// - *Whether the account holds the key it names.* Who names one that it does not hold can sign no result with it. A key belongs
///   to the first account that staked it in a region, for ever, so that no result is ever two accounts'; whose key was taken by
///   somebody else before makes another one.
/// - *What else the quote asset does:* see `IDeposits`. What is sent here without staking is nobody's, and stays.
interface IProviderStake {
    /// @notice Events of a region are numbered from 1, and kept: see `stakeEventOf`.
    event StakeChanged(
        bytes32 indexed region,
        uint256 indexed number,
        address indexed account,
        Act act,
        bytes32 nodeKey,
        uint256 bondedMicros,
        bool isUnbonding
    );
    /// @notice Slashes of a region are numbered from 1.
    event SlashQueued(
        bytes32 indexed region,
        uint256 indexed slash,
        address indexed account,
        uint256 amountMicros,
        uint256 dueAtS,
        Wrong wrong
    );
    event SlashExecuted(
        bytes32 indexed region, uint256 indexed slash, address indexed account, uint256 amountMicros, address executor
    );
    event SlashCancelled(
        bytes32 indexed region, uint256 indexed slash, address indexed account, uint256 amountMicros, address canceller
    );

    error ProviderStake_TokenDecimals(uint256 decimals);
    error ProviderStake_ReceiverNeeded(address receiver);
    error ProviderStake_TimeOutOfBounds(string time, uint256 value, uint256 least, uint256 most);
    error ProviderStake_OwnerNeeded();
    error ProviderStake_RegionNotOpen(bytes32 region);
    error ProviderStake_StakedBefore(bytes32 region, address account);
    error ProviderStake_NoStake(bytes32 region, address account);
    error ProviderStake_TooSmall(uint256 amountMicros, uint256 leastMicros);
    error ProviderStake_BelowMinimum(uint256 wouldBeMicros, uint256 minimumMicros);
    error ProviderStake_TooLarge(uint256 amountMicros, uint256 mostMicros);
    error ProviderStake_TransferFellShort(uint256 expectedMicros, uint256 arrivedMicros);
    error ProviderStake_KeyMissing();
    error ProviderStake_KeyTaken(bytes32 nodeKey, address account);
    error ProviderStake_SameKey(bytes32 nodeKey);
    error ProviderStake_TooSoon(uint256 untilS);
    error ProviderStake_IsUnbonding(uint256 unbondsAtS);
    error ProviderStake_NotUnbonding();
    error ProviderStake_StillBonded(uint256 untilS);
    error ProviderStake_NothingToWithdraw(uint256 queuedMicros);
    error ProviderStake_NotOperator(address caller, bytes32 region);
    error ProviderStake_ReceiverReports(address receiver);
    error ProviderStake_WrongOutOfTime(uint256 atS, uint256 leastS, uint256 mostS);
    error ProviderStake_OtherKey(bytes32 nodeKey, address account);
    error ProviderStake_SlashedBefore(bytes32 jobDigest, address account);
    error ProviderStake_NothingToSlash();
    error ProviderStake_AboveShare(uint256 wouldBeMicros, uint256 mostMicros);
    error ProviderStake_AboveStake(uint256 amountMicros, uint256 bondedMicros);
    error ProviderStake_TooManyWaiting(uint256 count);
    error ProviderStake_NotQueued(bytes32 region, uint256 slash);
    error ProviderStake_NotDue(uint256 dueAtS);
    error ProviderStake_MayNotCancel(address caller);

    /// @notice Stakes the caller's money in a region, under a key. At least the region's least deposit, and its minimum stake.
    function stake(bytes32 region, bytes32 nodeKey, uint256 amountMicros) external;

    /// @notice Adds to the caller's stake. With what is there it must be the minimum; queued slashes do not count.
    function topUp(bytes32 region, uint256 amountMicros) external;

    /// @notice Names another key for results from now on. Results under the old one stay the account's.
    function rotateKey(bytes32 region, bytes32 nodeKey) external;

    /// @notice Begins to take the whole stake out. A market gives no new work from then on.
    /// @return unbondsAtS From when it may be withdrawn.
    function beginUnbonding(bytes32 region) external returns (uint256 unbondsAtS);

    /// @notice Stays after all, also when the time has passed. The next time counts anew.
    function cancelUnbonding(bytes32 region) external;

    /// @notice Pays the caller its stake, but for what is queued.
    function withdraw(bytes32 region) external returns (uint256 amountMicros);

    /// @notice Queues a slash, for the region's operator.
    /// @return slash Its number, by which the owner cancels it.
    function queueSlash(Wrong calldata wrong, uint256 amountMicros) external returns (uint256 slash);

    /// @notice Cancels every slash from one number to another that is queued still; the money is at stake again. For the owner;
    /// for anybody once the region is over. Others in between are passed over: executing one must not undo a vote.
    /// @return cancelled How many; at least one.
    function cancelSlashes(bytes32 region, uint256 first, uint256 last) external returns (uint256 cancelled);

    /// @notice Pays a due slash to its receiver. For anybody.
    function executeSlash(bytes32 region, uint256 slash) external;

    function quote() external view returns (IERC20);
    function regions() external view returns (IRegions);
    function parameters() external view returns (IRewardParameters);

    /// @notice Where slashed money goes: the treasury.
    function slashReceiver() external view returns (address);

    /// @notice How long after a wrong a slash may be queued for it. Seconds.
    function auditSeconds() external view returns (uint256);

    /// @notice From a slash's queueing to its being due. Seconds.
    function slashDelaySeconds() external view returns (uint256);

    /// @return All zeros where there is no stake.
    function stakeOf(bytes32 region, address account) external view returns (Stake memory);

    /// @return What an account had at stake at the end of a second, what was queued included. Micros.
    function stakedAtS(bytes32 region, address account, uint256 atS) external view returns (uint256);

    /// @return The account that a key belongs to in a region, now or once.
    function accountOfKey(bytes32 region, bytes32 nodeKey) external view returns (address);

    /// @return minimumMicros The region's `ProviderMinimumStake` now.
    /// @return unbondingSeconds What would hold if unbonding began now.
    function termsOf(bytes32 region) external view returns (uint256 minimumMicros, uint256 unbondingSeconds);

    /// @return events Number of the region's last stake event.
    /// @return slashes Number of its last slash.
    function countsOf(bytes32 region) external view returns (uint256 events, uint256 slashes);

    /// @return All zeros where there is none.
    function stakeEventOf(bytes32 region, uint256 number) external view returns (StakeEvent memory);

    /// @return All zeros where there is none.
    function slashOf(bytes32 region, uint256 slash) external view returns (Slash memory);

    /// @return Whether a slash for this job was ever queued against the account.
    function isJobSlashed(bytes32 region, address account, bytes32 jobDigest) external view returns (bool);

    /// @return The most that a slash for a wrong of that second could be now. Micros; it may be 0.
    function mostSlashMicros(bytes32 region, address account, uint256 atS) external view returns (uint256);
}
