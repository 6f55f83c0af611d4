// SPDX-License-Identifier: Apache-2.0
// Owns the tests of queueing a slash: who, for what, when, how much. It refuses a lying operator more than one share of a stake in
// the time that a vote takes.
pragma solidity ^0.8.24;

import {IProviderStake} from "../../stake/IProviderStake.sol";
import {Act, Slash, SlashStage, Wrong} from "../../stake/StakeTypes.sol";
import {ProviderStake} from "../../stake/ProviderStake.sol";
import {IRegions} from "../../settlement/IRegions.sol";
import {Parameter} from "../../vote/IRewardParameters.sol";
import {StakeFixture} from "./StakeFixture.sol";

contract QueueSlashTest is StakeFixture {
    uint256 private constant STAKE = 100 * uint256(UNIT);
    uint256 private constant SHARE = STAKE * SHARE_BPS / 10_000;

    function setUp() public override {
        super.setUp();
        _stake(DORA, DORAS_KEY, STAKE);
        _wait(1 hours);
    }

    function testRejects_everybodyButTheOperator() external {
        address[4] memory callers = [treasury, STRANGER, DORA, EMIL];
        for (uint256 index = 0; index < 4; ++index) {
            bytes4 selector = IProviderStake.ProviderStake_NotOperator.selector;
            _expectNotQueued(callers[index], _wrong(), SHARE, abi.encodeWithSelector(selector, callers[index], REGION));
        }
        Wrong memory elsewhere = _wrong();
        elsewhere.region = NOWHERE;
        bytes memory unknown = abi.encodeWithSelector(IRegions.Settlement_RegionUnknown.selector, NOWHERE);
        _expectNotQueued(OPERATOR, elsewhere, SHARE, unknown);
    }

    /// @dev Nobody profits from what it reports: not even an operator that was made the receiver.
    function testRejects_operatorThatWouldBePaid() external {
        stakes = new ProviderStake(quote, settlement, parameters, treasury, OPERATOR, AUDIT, DELAY);
        _stake(DORA, DORAS_KEY, STAKE);
        bytes memory refused = abi.encodeWithSelector(IProviderStake.ProviderStake_ReceiverReports.selector, OPERATOR);
        _expectNotQueued(OPERATOR, _wrong(), SHARE, refused);
    }

    function testRejects_wrongsOutOfTime() external {
        Wrong memory wrong = _wrong();
        wrong.atS = uint40(block.timestamp + 1);
        bytes4 selector = IProviderStake.ProviderStake_WrongOutOfTime.selector;
        uint256 leastS = block.timestamp - AUDIT;
        bytes memory future = abi.encodeWithSelector(selector, wrong.atS, leastS, block.timestamp);
        _expectNotQueued(OPERATOR, wrong, SHARE, future);
        wrong = _wrong();
        _wait(AUDIT + 1);
        bytes memory late = abi.encodeWithSelector(selector, wrong.atS, wrong.atS + 1, block.timestamp);
        _expectNotQueued(OPERATOR, wrong, SHARE, late);
    }

    function testRejects_keysThatAreNotTheAccounts() external {
        Wrong memory wrong = _wrong();
        wrong.nodeKey = OTHER_KEY;
        bytes4 selector = IProviderStake.ProviderStake_OtherKey.selector;
        _expectNotQueued(OPERATOR, wrong, SHARE, abi.encodeWithSelector(selector, OTHER_KEY, DORA));
        _stake(EMIL, EMILS_KEY, STAKE);
        wrong.nodeKey = EMILS_KEY;
        _expectNotQueued(OPERATOR, wrong, SHARE, abi.encodeWithSelector(selector, EMILS_KEY, DORA));
        wrong.account = address(0);
        wrong.nodeKey = OTHER_KEY;
        bytes memory nobody = abi.encodeWithSelector(IProviderStake.ProviderStake_NoStake.selector, REGION, address(0));
        _expectNotQueued(OPERATOR, wrong, SHARE, nobody);
    }

    function testRejects_amountsOutOfBounds() external {
        bytes memory nothing = abi.encodeWithSelector(IProviderStake.ProviderStake_NothingToSlash.selector);
        _expectNotQueued(OPERATOR, _wrong(), 0, nothing);
        bytes4 share = IProviderStake.ProviderStake_AboveShare.selector;
        _expectNotQueued(OPERATOR, _wrong(), SHARE + 1, abi.encodeWithSelector(share, SHARE + 1, SHARE));
        bytes4 all = IProviderStake.ProviderStake_AboveStake.selector;
        _expectNotQueued(OPERATOR, _wrong(), STAKE + 1, abi.encodeWithSelector(all, STAKE + 1, STAKE));
        uint256 most = type(uint256).max;
        _expectNotQueued(OPERATOR, _wrong(), most, abi.encodeWithSelector(all, most, STAKE));
    }

    /// @dev 100.000019 units: a tenth is 10.0000019, and the provider keeps the rest of a micro.
    function testRejects_shareRoundedUp() external {
        _topUp(DORA, UNIT + 19);
        bytes4 share = IProviderStake.ProviderStake_AboveShare.selector;
        uint256 down = (STAKE + UNIT + 19) / 10;
        _expectNotQueued(OPERATOR, _wrong(), down + 1, abi.encodeWithSelector(share, down + 1, down));
        _queue(_wrong(), down);
    }

    function testRejects_secondSlashForAJob() external {
        _queue(_wrong(), UNIT);
        bytes memory before = abi.encodeWithSelector(IProviderStake.ProviderStake_SlashedBefore.selector, JOB, DORA);
        Wrong memory again = _wrong();
        again.outputHash = keccak256("another output");
        again.entry += 1;
        _expectNotQueued(OPERATOR, again, UNIT, before);
        _cancel(1, 1);
        _expectNotQueued(OPERATOR, again, UNIT, before);
        _queue(_wrongOf(DORA, DORAS_KEY, keccak256("next job")), UNIT);
        // Nor under another key of the account, nor when it was executed.
        _rotate(DORA, OTHER_KEY);
        again.nodeKey = OTHER_KEY;
        _expectNotQueued(OPERATOR, again, UNIT, before);
        _wait(DELAY);
        stakes.executeSlash(REGION, 2);
        bytes32 job = keccak256("next job");
        bytes memory executed = abi.encodeWithSelector(IProviderStake.ProviderStake_SlashedBefore.selector, job, DORA);
        _expectNotQueued(OPERATOR, _wrongOf(DORA, DORAS_KEY, job), UNIT, executed);
    }

    /// @dev A liar makes up a job after the other: together they are one share, until the first is due.
    function testRejects_moreThanAShareThatWaits() external {
        _queue(_wrong(), SHARE - UNIT);
        bytes4 share = IProviderStake.ProviderStake_AboveShare.selector;
        Wrong memory next = _wrongOf(DORA, DORAS_KEY, keccak256("next job"));
        _expectNotQueued(OPERATOR, next, UNIT + 1, abi.encodeWithSelector(share, SHARE + 1, SHARE));
        _queue(next, UNIT);
        next.jobDigest = keccak256("a third job");
        _wait(AUDIT);
        _expectNotQueued(OPERATOR, next, 1, abi.encodeWithSelector(share, SHARE + 1, SHARE));
        _wait(DELAY - AUDIT - 1);
        next.atS = uint40(block.timestamp);
        _expectNotQueued(OPERATOR, next, 1, abi.encodeWithSelector(share, SHARE + 1, SHARE));
        _requireStake(DORA, STAKE - SHARE, SHARE);
    }

    function testRejects_moreSlashesThanAVoteCanCancel() external {
        for (uint256 job = 0; job < 16; ++job) {
            _queue(_wrongOf(DORA, DORAS_KEY, bytes32(job)), 1);
        }
        bytes memory many = abi.encodeWithSelector(IProviderStake.ProviderStake_TooManyWaiting.selector, 16);
        _expectNotQueued(OPERATOR, _wrong(), 1, many);
        VM.assertEq(_cancel(1, 16), 16);
        _queue(_wrong(), 1);
    }

    /// @dev Only what was there in that second can be lost for it.
    function testRejects_shareOfMoneyStakedLater() external {
        Wrong memory wrong = _wrong();
        _wait(1);
        _topUp(DORA, 9 * STAKE);
        bytes4 share = IProviderStake.ProviderStake_AboveShare.selector;
        _expectNotQueued(OPERATOR, wrong, SHARE + 1, abi.encodeWithSelector(share, SHARE + 1, SHARE));
        wrong.atS = uint40(block.timestamp - 2 hours);
        _expectNotQueued(OPERATOR, wrong, 1, abi.encodeWithSelector(share, 1, 0));
        wrong.atS = uint40(block.timestamp);
        _queue(wrong, 10 * SHARE);
    }

    function testRejects_regionThatIsOver() external {
        _uphold();
        bytes memory over = abi.encodeWithSelector(IProviderStake.ProviderStake_RegionNotOpen.selector, REGION);
        _expectNotQueued(OPERATOR, _wrong(), SHARE, over);
    }

    function testRejects_providerThatHasLeft() external {
        VM.warp(_unbond(DORA));
        Wrong memory wrong = _wrong();
        _withdraw(DORA);
        bytes memory gone = abi.encodeWithSelector(IProviderStake.ProviderStake_NoStake.selector, REGION, DORA);
        _expectNotQueued(OPERATOR, wrong, UNIT, gone);
    }

    function testBehavior_slashIsQueuedWithItsEvidence() external {
        Wrong memory wrong = _wrong();
        uint256 dueAtS = block.timestamp + DELAY;
        VM.expectEmit(address(stakes));
        emit IProviderStake.SlashQueued(REGION, 1, DORA, SHARE, dueAtS, wrong);
        VM.expectEmit(address(stakes));
        emit IProviderStake.StakeChanged(REGION, 2, DORA, Act.SlashQueued, DORAS_KEY, STAKE - SHARE, false);
        VM.assertEq(_queue(wrong, SHARE), 1);
        Slash memory kept = stakes.slashOf(REGION, 1);
        VM.assertEq(kept.account, DORA);
        VM.assertEq(kept.amountMicros, SHARE);
        VM.assertEq(kept.dueAtS, dueAtS);
        VM.assertEq(kept.wrongHash, keccak256(abi.encode(wrong)));
        _requireStage(1, SlashStage.Queued);
        _requireStake(DORA, STAKE - SHARE, SHARE);
        _requireLastEvent(DORA, DORAS_KEY, STAKE - SHARE, false);
        VM.assertTrue(stakes.isJobSlashed(REGION, DORA, JOB));
        VM.assertEq(quote.balanceOf(address(stakes)), STAKE);
        (uint256 events, uint256 slashes) = stakes.countsOf(REGION);
        VM.assertEq(events, 2);
        VM.assertEq(slashes, 1);
    }

    /// @dev It leaves as soon as the wrong is done; the last second of the audit still reaches it.
    function testBehavior_providerThatLeavesIsReachable() external {
        Wrong memory wrong = _wrong();
        uint256 unbondsAtS = _unbond(DORA);
        _wait(AUDIT);
        _queue(wrong, SHARE);
        _wait(DELAY);
        VM.assertLe(block.timestamp, unbondsAtS);
        stakes.executeSlash(REGION, 1);
        VM.warp(unbondsAtS);
        VM.assertEq(_withdraw(DORA), STAKE - SHARE);
    }

    function testBehavior_twoProvidersAreSlashedForOneJob() external {
        _stake(EMIL, EMILS_KEY, STAKE);
        _queue(_wrong(), SHARE);
        _queue(_wrongOf(EMIL, EMILS_KEY, JOB), SHARE);
        _requireStake(EMIL, STAKE - SHARE, SHARE);
    }

    function testBehavior_oldKeyIsStillTheAccounts() external {
        Wrong memory wrong = _wrong();
        _rotate(DORA, OTHER_KEY);
        _queue(wrong, SHARE);
        _requireLastEvent(DORA, OTHER_KEY, STAKE - SHARE, false);
    }

    function testBehavior_frozenRegionQueues() external {
        _freeze();
        _queue(_wrong(), SHARE);
        _requireStake(DORA, STAKE - SHARE, SHARE);
    }

    function testBehavior_newOperatorQueuesAndTheOldOneDoesNot() external {
        VM.prank(treasury);
        settlement.setOperator(REGION, EMIL);
        bytes4 selector = IProviderStake.ProviderStake_NotOperator.selector;
        _expectNotQueued(OPERATOR, _wrong(), SHARE, abi.encodeWithSelector(selector, OPERATOR, REGION));
        VM.prank(EMIL);
        stakes.queueSlash(_wrong(), SHARE);
    }

    /// @dev A vote makes no old wrong dearer.
    function testBehavior_shareIsTheOneOfTheWrongsEpoch() external {
        _change(Parameter.SlashBps, 1_250);
        Wrong memory old = _wrong();
        _untilNewest();
        VM.assertEq(stakes.mostSlashMicros(REGION, DORA, old.atS), SHARE);
        VM.assertEq(stakes.mostSlashMicros(REGION, DORA, block.timestamp), SHARE + SHARE / 4);
        bytes4 share = IProviderStake.ProviderStake_AboveShare.selector;
        _expectNotQueued(OPERATOR, old, SHARE + 1, abi.encodeWithSelector(share, SHARE + 1, SHARE));
        // And forgives none.
        _wait(30 days);
        _change(Parameter.SlashBps, 1_000);
        old = _wrong();
        _untilNewest();
        _queue(old, SHARE + SHARE / 4);
    }

    function testBehavior_mostIsWhatIsTaken() external {
        VM.assertEq(stakes.mostSlashMicros(REGION, DORA, block.timestamp), SHARE);
        _queue(_wrong(), SHARE - UNIT);
        VM.assertEq(stakes.mostSlashMicros(REGION, DORA, block.timestamp), UNIT);
        VM.assertEq(stakes.mostSlashMicros(REGION, EMIL, block.timestamp), 0);
        VM.warp(_unbond(DORA) - AUDIT);
        Wrong memory wrong = _wrongOf(DORA, DORAS_KEY, keccak256("next job"));
        _wait(AUDIT);
        _withdraw(DORA);
        VM.assertEq(stakes.mostSlashMicros(REGION, DORA, wrong.atS), 0);
    }

    function _expectNotQueued(address caller, Wrong memory wrong, uint256 amountMicros, bytes memory error_) private {
        _expectRefused(caller, abi.encodeCall(stakes.queueSlash, (wrong, amountMicros)), error_);
    }
}
