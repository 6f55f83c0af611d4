// SPDX-License-Identifier: Apache-2.0
// Owns the tests of what the owner decides: regions, operators, terms, guardian, reward token. It refuses nothing itself.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRegions} from "../settlement/IRegions.sol";
import {RegionNames} from "../settlement/RegionNames.sol";
import {Settlement} from "../settlement/Settlement.sol";
import {Limits, Opening, Region, Stage, Terms} from "../settlement/SettlementTypes.sol";
import {IRewardToken} from "../tokens/IRewardToken.sol";
import {SettlementFixture} from "./SettlementFixture.sol";
import {OddDecimals} from "./Tokens.sol";

contract RegionsTest is SettlementFixture {
    bytes32 private constant FRESH = "fresh-region";

    function testRejects_strangersInEveryDecision() external {
        bytes memory refused = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER);
        VM.startPrank(STRANGER);
        VM.expectRevert(refused);
        settlement.openRegion(FRESH, _opening());
        VM.expectRevert(refused);
        settlement.setOperator(REGION, STRANGER);
        VM.expectRevert(abi.encodeWithSelector(IRegions.Settlement_NotTermsKeeper.selector, STRANGER));
        settlement.setTerms(REGION, _terms());
        VM.expectRevert(refused);
        settlement.setTermsKeeper(STRANGER);
        VM.expectRevert(refused);
        settlement.setGuardian(STRANGER);
        VM.expectRevert(refused);
        settlement.setRewardToken(IRewardToken(STRANGER));
        VM.expectRevert(refused);
        settlement.release(REGION);
        VM.expectRevert(refused);
        settlement.uphold(REGION);
        VM.expectRevert(refused);
        settlement.renounceOwnership();
        VM.stopPrank();
    }

    function testRejects_renouncedOwnership() external {
        VM.prank(OWNER);
        VM.expectRevert(IRegions.Settlement_OwnerNeeded.selector);
        settlement.renounceOwnership();
        VM.assertEq(settlement.owner(), OWNER);
    }

    function testRejects_namesThatARegionWouldRefuse() external {
        string[9] memory texts =
            ["", "a", "1abc", "-abc", "Abc", "ab_c", "ab c", "abc\x00d", "abcdefghijklmnopqrstuvwxyz01234{"];
        for (uint256 index = 0; index < texts.length; ++index) {
            bytes32 name;
            for (uint256 place = 0; place < bytes(texts[index]).length; ++place) {
                name |= bytes32(bytes(texts[index])[place]) >> (8 * place);
            }
            VM.prank(OWNER);
            VM.expectRevert(abi.encodeWithSelector(RegionNames.RegionNames_NotAName.selector, name));
            settlement.openRegion(name, _opening());
        }
    }

    function testRejects_openingTwice() external {
        VM.prank(OWNER);
        VM.expectRevert(abi.encodeWithSelector(IRegions.Settlement_RegionExists.selector, REGION));
        settlement.openRegion(REGION, _opening());
    }

    function testRejects_regionWithoutOperator() external {
        Opening memory opening = _opening();
        opening.operator = address(0);
        _expectNotOpened(opening, abi.encodeWithSelector(IRegions.Settlement_OperatorMissing.selector));
        VM.prank(OWNER);
        VM.expectRevert(IRegions.Settlement_OperatorMissing.selector);
        settlement.setOperator(REGION, address(0));
        VM.assertEq(settlement.regionOf(REGION).operator, OPERATOR);
    }

    function testRejects_lengthsThatAreNone() external {
        Opening memory opening = _opening();
        opening.windowSlots = 8;
        _expectNotOpened(opening, abi.encodeWithSelector(IRegions.Settlement_WindowLength.selector, 8));
        uint16[4] memory epochs = [uint16(0), 95, 6, 2_692];
        for (uint256 index = 0; index < epochs.length; ++index) {
            opening = _opening();
            opening.epochSlots = epochs[index];
            _expectNotOpened(
                opening, abi.encodeWithSelector(IRegions.Settlement_EpochLength.selector, uint256(epochs[index]))
            );
        }
        opening = _opening();
        (opening.windowSlots, opening.epochSlots) = (96, 100);
        _expectNotOpened(opening, abi.encodeWithSelector(IRegions.Settlement_EpochLength.selector, 100));
    }

    /// @dev With past epochs an operator could post many reports at once, and pass the cap of each.
    function testRejects_firstEpochThatIsOver() external {
        Opening memory opening = _opening();
        opening.terms.fromEpoch = FIRST_EPOCH - 1;
        bytes4 selector = IRegions.Settlement_FirstEpoch.selector;
        _expectNotOpened(opening, abi.encodeWithSelector(selector, FIRST_EPOCH - 1, FIRST_EPOCH));
        VM.warp(0);
        opening.terms.fromEpoch = 0;
        _expectNotOpened(opening, abi.encodeWithSelector(selector, 0, 0));
    }

    function testRejects_firstEpochFarAhead() external {
        Opening memory opening = _opening();
        opening.terms.fromEpoch = FIRST_EPOCH + 31;
        bytes memory refused =
            abi.encodeWithSelector(IRegions.Settlement_FirstEpoch.selector, FIRST_EPOCH + 31, FIRST_EPOCH);
        _expectNotOpened(opening, refused);
        opening.terms.fromEpoch = type(uint64).max;
        refused = abi.encodeWithSelector(IRegions.Settlement_FirstEpoch.selector, type(uint64).max, FIRST_EPOCH);
        _expectNotOpened(opening, refused);
    }

    function testRejects_termsOutOfBounds() external {
        _expectOutOfBounds(0, "outflowCapBps", 99);
        _expectOutOfBounds(0, "outflowCapBps", 10_001);
        _expectOutOfBounds(1, "finalityDelaySeconds", 1 hours - 1);
        _expectOutOfBounds(1, "finalityDelaySeconds", 30 days + 1);
        // Two epochs of a day, and two days of delay.
        _expectOutOfBounds(2, "exitAfterSeconds", 4 days - 1);
        _expectOutOfBounds(2, "exitAfterSeconds", 90 days + 1);
        _expectOutOfBounds(3, "leastDepositMicros", 0);
        _expectOutOfBounds(3, "leastDepositMicros", Limits.MAX_REGION_MICROS + 1);
        _expectOutOfBounds(4, "emissionDecayBps", 10_001);
        _expectOutOfBounds(5, "emissionPerEpoch", 10 ** 30);
    }

    function testRejects_termsWithoutNotice() external {
        Terms memory terms = _terms();
        terms.fromEpoch = FIRST_EPOCH;
        bytes4 selector = IRegions.Settlement_TermsTooSoon.selector;
        VM.startPrank(OWNER);
        VM.expectRevert(abi.encodeWithSelector(selector, FIRST_EPOCH));
        settlement.setTerms(REGION, terms);
        // An hour and a second before the next epoch is early enough, a second later is not.
        terms.fromEpoch = FIRST_EPOCH + 1;
        VM.warp((FIRST_EPOCH + 1) * EPOCH_SECONDS - 1 hours + 1);
        VM.expectRevert(abi.encodeWithSelector(selector, FIRST_EPOCH + 1));
        settlement.setTerms(REGION, terms);
        VM.warp((FIRST_EPOCH + 1) * EPOCH_SECONDS - 1 hours);
        settlement.setTerms(REGION, terms);
        VM.stopPrank();
    }

    /// @dev The opening's terms cannot be taken away, not even before they begin.
    function testRejects_termsBeforeTheFirstEpoch() external {
        Opening memory opening = _opening();
        opening.terms.fromEpoch = FIRST_EPOCH + 5;
        VM.startPrank(OWNER);
        settlement.openRegion(FRESH, opening);
        VM.expectRevert(abi.encodeWithSelector(IRegions.Settlement_TermsTooSoon.selector, FIRST_EPOCH + 5));
        settlement.setTerms(FRESH, opening.terms);
        VM.stopPrank();
    }

    function testRejects_unknownRegions() external {
        bytes memory unknown = abi.encodeWithSelector(IRegions.Settlement_RegionUnknown.selector, FRESH);
        VM.expectRevert(unknown);
        settlement.regionOf(FRESH);
        VM.expectRevert(unknown);
        settlement.termsInEpoch(FRESH, FIRST_EPOCH);
        VM.expectRevert(unknown);
        settlement.isFinal(FRESH, FIRST_EPOCH);
        VM.startPrank(OWNER);
        VM.expectRevert(unknown);
        settlement.setOperator(FRESH, OPERATOR);
        VM.expectRevert(unknown);
        settlement.setTerms(FRESH, _terms());
        VM.stopPrank();
        VM.assertEq(settlement.windowSlotsOf(FRESH), 0);
    }

    function testRejects_secondRewardToken() external {
        VM.prank(OWNER);
        VM.expectRevert(IRegions.Settlement_RewardTokenSet.selector);
        settlement.setRewardToken(IRewardToken(STRANGER));
        VM.assertEq(address(settlement.rewardToken()), address(rewards));
    }

    function testRejects_quoteOfOtherDecimals() external {
        OddDecimals odd = new OddDecimals();
        VM.expectRevert(abi.encodeWithSelector(IRegions.Settlement_TokenDecimals.selector, 18));
        new Settlement(odd, OWNER, GUARDIAN);
    }

    function testBehavior_openingIsKept() external {
        Opening memory opening = _opening();
        opening.terms.fromEpoch = FIRST_EPOCH + 3;
        opening.windowSlots = 96;
        VM.expectEmit(address(settlement));
        emit IRegions.RegionOpened(FRESH, opening);
        VM.prank(OWNER);
        settlement.openRegion(FRESH, opening);
        Region memory books = settlement.regionOf(FRESH);
        VM.assertEq(books.operator, OPERATOR);
        VM.assertEq(uint256(books.stage), uint256(Stage.Open));
        VM.assertEq(settlement.windowSlotsOf(FRESH), 96);
        VM.assertEq(books.epochSlots, EPOCH_SLOTS);
        VM.assertEq(books.firstEpoch, FIRST_EPOCH + 3);
        VM.assertEq(books.reportedEpoch, FIRST_EPOCH + 2);
        VM.assertEq(books.aliveAtS, (FIRST_EPOCH + 3) * EPOCH_SECONDS);
        VM.assertEq(settlement.holdingsOf(FRESH), 0);
    }

    function testBehavior_longestNameAndEpoch() external {
        Opening memory opening = _opening();
        (opening.windowSlots, opening.epochSlots) = (96, 2_688);
        opening.terms.fromEpoch = SafeCast.toUint64(block.timestamp / (2_688 * 900));
        opening.terms.finalityDelaySeconds = 30 days;
        opening.terms.exitAfterSeconds = 90 days;
        VM.prank(OWNER);
        settlement.openRegion("abcdefghijklmnopqrstuvwxyz-01234", opening);
    }

    /// @dev A version takes the place of all that was scheduled for its epoch or later, and only of that.
    function testBehavior_termsInTheirEpochs() external {
        _schedule(FIRST_EPOCH + 2, 1_000);
        _schedule(FIRST_EPOCH + 5, 2_000);
        _schedule(FIRST_EPOCH + 9, 3_000);
        _expectCap(FIRST_EPOCH, 2_500, 0);
        _expectCap(FIRST_EPOCH + 1, 2_500, 0);
        _expectCap(FIRST_EPOCH + 2, 1_000, 1);
        _expectCap(FIRST_EPOCH + 8, 2_000, 2);
        _expectCap(FIRST_EPOCH + 100, 3_000, 3);
        _schedule(FIRST_EPOCH + 5, 4_000);
        _expectCap(FIRST_EPOCH + 4, 1_000, 1);
        _expectCap(FIRST_EPOCH + 100, 4_000, 2);
    }

    function testBehavior_handedToATimelock() external {
        VM.prank(OWNER);
        settlement.transferOwnership(STRANGER);
        VM.prank(OWNER);
        VM.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OWNER));
        settlement.setGuardian(BEN);
        VM.expectEmit(address(settlement));
        emit IRegions.GuardianSet(BEN);
        VM.prank(STRANGER);
        settlement.setGuardian(BEN);
        VM.assertEq(settlement.guardian(), BEN);
    }

    function testBehavior_operatorIsReplaced() external {
        VM.expectEmit(address(settlement));
        emit IRegions.OperatorSet(REGION, BEN);
        VM.prank(OWNER);
        settlement.setOperator(REGION, BEN);
        VM.assertEq(settlement.regionOf(REGION).operator, BEN);
        VM.assertEq(settlement.regionOf(OTHER_REGION).operator, OPERATOR);
    }

    function _schedule(uint64 fromEpoch, uint16 capBps) private {
        Terms memory terms = _terms();
        (terms.fromEpoch, terms.outflowCapBps) = (fromEpoch, capBps);
        VM.prank(OWNER);
        settlement.setTerms(REGION, terms);
    }

    function _expectCap(uint256 epoch, uint256 capBps, uint256 version) private view {
        (Terms memory terms, uint256 found) = settlement.termsInEpoch(REGION, epoch);
        VM.assertEq(terms.outflowCapBps, capBps);
        VM.assertEq(found, version);
    }

    function _expectNotOpened(Opening memory opening, bytes memory refused) private {
        VM.prank(OWNER);
        VM.expectRevert(refused);
        settlement.openRegion(FRESH, opening);
        VM.assertEq(settlement.windowSlotsOf(FRESH), 0);
    }

    function _expectOutOfBounds(uint256 field, string memory name, uint256 value) private {
        Terms memory terms = _terms();
        terms.fromEpoch = FIRST_EPOCH + 2;
        (uint256 least, uint256 most) = (0, Limits.BPS);
        if (field == 0) (terms.outflowCapBps, least) = (SafeCast.toUint16(value), 100);
        if (field == 1) (terms.finalityDelaySeconds, least, most) = (SafeCast.toUint32(value), 1 hours, 30 days);
        if (field == 2) (terms.exitAfterSeconds, least, most) = (SafeCast.toUint32(value), 4 days, 90 days);
        if (field == 3) {
            (terms.leastDepositMicros, least, most) = (SafeCast.toUint64(value), 1, Limits.MAX_REGION_MICROS);
        }
        if (field == 4) terms.emissionDecayBps = SafeCast.toUint16(value);
        if (field == 5) (terms.emissionPerEpoch, most) = (SafeCast.toUint128(value), 10 ** 30 - 1);
        VM.prank(OWNER);
        VM.expectRevert(abi.encodeWithSelector(IRegions.Settlement_TermOutOfBounds.selector, name, value, least, most));
        settlement.setTerms(REGION, terms);
        (, uint256 version) = settlement.termsInEpoch(REGION, FIRST_EPOCH + 2);
        VM.assertEq(version, 0);
    }
}
