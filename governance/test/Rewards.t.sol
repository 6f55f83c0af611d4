// SPDX-License-Identifier: Apache-2.0
// Owns the tests of rewards: claimed once, within the emission, in a token that only Settlement mints. It refuses a minter
// from elsewhere.
pragma solidity ^0.8.24;

import {IClaims} from "../settlement/IClaims.sol";
import {Leaf, Path, Sums, SumTree} from "../settlement/SumTree.sol";
import {LocalChain} from "../tokens/LocalChain.sol";
import {TestQuote} from "../tokens/TestQuote.sol";
import {IPolderToken} from "../vote/IPolderToken.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

contract RewardsTest is SettlementFixture {
    function setUp() public override {
        super.setUp();
        _deposit(REGION, ANNA, 60 * UNIT);
        ledger.creditAll();
    }

    function testRejects_everyMinterButSettlement() external {
        address[3] memory callers = [STRANGER, OWNER, OPERATOR];
        for (uint256 index = 0; index < 3; ++index) {
            VM.prank(callers[index]);
            VM.expectRevert(abi.encodeWithSelector(IPolderToken.PolderToken_NotSettlement.selector, callers[index]));
            rewards.mint(callers[index], 1);
        }
        VM.assertEq(rewards.totalSupply(), 0);
    }

    function testRejects_playMoneyOnAnyOtherChain() external {
        VM.chainId(1);
        bytes memory elsewhere = abi.encodeWithSelector(LocalChain.LocalChain_Elsewhere.selector, 1);
        VM.expectRevert(elsewhere);
        new TestQuote();
        // Nor does it go on when its chain takes another id.
        VM.expectRevert(elsewhere);
        quote.mint(ANNA, 1);
    }

    function testRejects_secondClaimAndOlderReport() external {
        ledger.earn(ANNA, 5 ether);
        uint64 first = _settle(ledger);
        ledger.earn(ANNA, 2 ether);
        uint64 second = _settle(ledger);
        VM.assertEq(_claimRewards(ledger, second, ANNA), 7 ether);
        for (uint64 epoch = first; epoch <= second; ++epoch) {
            (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
            bytes4 selector = IClaims.Settlement_NothingToClaim.selector;
            VM.expectRevert(abi.encodeWithSelector(selector, leaf.sums.rewards, 7 ether));
            settlement.claimRewards(REGION, epoch, leaf, path);
        }
        VM.assertEq(rewards.totalSupply(), 7 ether);
    }

    function testRejects_reportThatIsNotFinal() external {
        ledger.earn(ANNA, 5 ether);
        uint64 epoch = _report(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        VM.expectRevert(abi.encodeWithSelector(IClaims.Settlement_EpochNotFinal.selector, epoch));
        settlement.claimRewards(REGION, epoch, leaf, path);
    }

    function testRejects_wrongLeaf() external {
        ledger.earn(ANNA, 5 ether);
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        leaf.sums.rewards += 1;
        VM.expectPartialRevert(SumTree.SumTree_LeafNotInTree.selector);
        settlement.claimRewards(REGION, epoch, leaf, path);
    }

    /// @dev As with money: rewards that were minted cannot be reported as somebody else's.
    function testRejects_rewardsGivenToSomebodyElse() external {
        ledger.earn(ANNA, 5 ether);
        _claimRewards(ledger, _settle(ledger), ANNA);
        Sums memory sums = ledger.leafOf(ANNA).sums;
        sums.heldMicros = 0;
        ledger.forge(STRANGER, sums);
        sums = ledger.leafOf(ANNA).sums;
        sums.rewards = 0;
        ledger.forge(ANNA, sums);
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, STRANGER);
        VM.expectRevert(abi.encodeWithSelector(IClaims.Settlement_PaidTwice.selector, 10 ether, 5 ether));
        settlement.claimRewards(REGION, epoch, leaf, path);
    }

    function testBehavior_rewardIsMintedToTheAccount() external {
        ledger.earn(ANNA, EMISSION);
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        VM.expectEmit(address(settlement));
        emit IClaims.RewardsClaimed(REGION, ANNA, epoch, EMISSION);
        VM.prank(STRANGER);
        VM.assertEq(settlement.claimRewards(REGION, epoch, leaf, path), EMISSION);
        VM.assertEq(rewards.balanceOf(ANNA), EMISSION);
        VM.assertEq(settlement.paidOf(REGION, ANNA).rewards, EMISSION);
        VM.assertEq(settlement.regionOf(REGION).paidRewards, EMISSION);
        VM.assertEq(settlement.paidOf(REGION, ANNA).micros, 0);
    }

    /// @dev Above the token's ceiling a claim waits for time to pass, and loses nothing.
    function testBehavior_claimAboveTheCeilingWaits() external {
        ledger.earn(ANNA, EMISSION);
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        uint256 room = rewards.mintableNow();
        VM.prank(address(settlement));
        rewards.mint(STRANGER, room);
        VM.expectRevert(abi.encodeWithSelector(IPolderToken.PolderToken_AboveCeiling.selector, EMISSION, 0));
        settlement.claimRewards(REGION, epoch, leaf, path);
        VM.assertEq(settlement.paidOf(REGION, ANNA).rewards, 0);
        VM.warp(block.timestamp + 1 days);
        VM.assertEq(settlement.claimRewards(REGION, epoch, leaf, path), EMISSION);
        VM.assertEq(rewards.balanceOf(ANNA), EMISSION);
    }

    /// @dev While there is no token nothing is lost.
    function testBehavior_rewardsWaitForTheirToken() external {
        _begin(quote);
        ledger.earn(ANNA, 5 ether);
        uint64 epoch = _settle(ledger);
        (Leaf memory leaf, Path memory path) = ledger.claimOf(epoch, ANNA);
        VM.expectRevert(IClaims.Settlement_RewardTokenMissing.selector);
        settlement.claimRewards(REGION, epoch, leaf, path);
        rewards = _token();
        VM.prank(OWNER);
        settlement.setRewardToken(rewards);
        VM.warp(block.timestamp + 1 days);
        VM.assertEq(settlement.claimRewards(REGION, epoch, leaf, path), 5 ether);
        VM.assertEq(rewards.balanceOf(ANNA), 5 ether);
    }

    /// @dev In an exit rewards are claimed as before, against the exit's report.
    function testBehavior_rewardsInAnExit() external {
        ledger.earn(ANNA, 5 ether);
        uint64 epoch = _settle(ledger);
        VM.warp(block.timestamp + EXIT_AFTER);
        _exit(ledger, epoch, ANNA);
        VM.assertEq(_claimRewards(ledger, epoch, ANNA), 5 ether);
    }
}
