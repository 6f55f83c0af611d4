// SPDX-License-Identifier: Apache-2.0
// Owns the tests of money's way in. It refuses to believe a token that says it has paid.
pragma solidity ^0.8.24;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IDeposits} from "../settlement/IDeposits.sol";
import {IRegions} from "../settlement/IRegions.sol";
import {DepositRecord, Limits} from "../settlement/SettlementTypes.sol";
import {TestQuote} from "../tokens/TestQuote.sol";
import {SettlementFixture} from "./SettlementFixture.sol";
import {CallingToken, FalseToken, FeeToken, SilentToken} from "./Tokens.sol";

contract DepositsTest is SettlementFixture {
    bytes32 private constant NOWHERE = "nowhere";
    uint256 private constant SECRET = 0xa11ce;
    /// @dev Where the contract keeps its regions; the test fails loudly where that has moved.
    uint256 private constant REGIONS_SLOT = 3;
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function testRejects_amountsOutOfBounds() external {
        _approve(quote, ANNA, type(uint256).max, type(uint256).max);
        bytes4 tooSmall = IDeposits.Settlement_DepositTooSmall.selector;
        _expectRefused(ANNA, 0, abi.encodeWithSelector(tooSmall, 0, UNIT));
        _expectRefused(ANNA, UNIT - 1, abi.encodeWithSelector(tooSmall, UNIT - 1, UNIT));
        bytes4 tooLarge = IDeposits.Settlement_DepositTooLarge.selector;
        uint256 most = Limits.MAX_REGION_MICROS;
        _expectRefused(ANNA, most + 1, abi.encodeWithSelector(tooLarge, most + 1, most));
        _expectRefused(ANNA, type(uint256).max, abi.encodeWithSelector(tooLarge, type(uint256).max, most));
    }

    function testRejects_moreThanARegionHolds() external {
        _deposit(REGION, ANNA, Limits.MAX_REGION_MICROS - 2 * UNIT);
        _deposit(REGION, BEN, UNIT);
        _approve(quote, CAROL, 2 * UNIT, 2 * UNIT);
        bytes memory refused = abi.encodeWithSelector(IDeposits.Settlement_DepositTooLarge.selector, UNIT + 1, UNIT);
        _expectRefused(CAROL, UNIT + 1, refused);
        _deposit(REGION, CAROL, UNIT);
        // The other region has room of its own.
        _deposit(OTHER_REGION, CAROL, 10 * UNIT);
    }

    /// @dev The running total of all deposits ever made stays where a region counts exactly. Storage is written to get there.
    function testRejects_moreThanWasEverCounted() external {
        _deposit(REGION, ANNA, UNIT);
        uint256 all = Limits.MAX_DEPOSITED_MICROS - 5 * UNIT;
        _setTotals(all, all - UNIT);
        _approve(quote, BEN, 6 * UNIT, 6 * UNIT);
        bytes memory refused =
            abi.encodeWithSelector(IDeposits.Settlement_DepositTooLarge.selector, 5 * UNIT + 1, 5 * UNIT);
        _expectRefused(BEN, 5 * UNIT + 1, refused);
        VM.prank(BEN);
        settlement.deposit(REGION, BEN, 5 * UNIT);
        VM.assertEq(settlement.regionOf(REGION).depositedMicros, Limits.MAX_DEPOSITED_MICROS);
    }

    function testRejects_accountsThatCannotBePaid() external {
        _approve(quote, ANNA, UNIT, UNIT);
        address[2] memory accounts = [address(0), address(settlement)];
        for (uint256 index = 0; index < 2; ++index) {
            VM.prank(ANNA);
            VM.expectRevert(abi.encodeWithSelector(IDeposits.Settlement_DepositAccount.selector, accounts[index]));
            settlement.deposit(REGION, accounts[index], UNIT);
        }
    }

    function testRejects_unknownRegion() external {
        _approve(quote, ANNA, UNIT, UNIT);
        VM.prank(ANNA);
        VM.expectRevert(abi.encodeWithSelector(IRegions.Settlement_RegionUnknown.selector, NOWHERE));
        settlement.deposit(NOWHERE, ANNA, UNIT);
    }

    function testRejects_regionThatIsFrozenUpheldOrSilent() external {
        _deposit(REGION, ANNA, 10 * UNIT);
        ledger.creditAll();
        uint64 epoch = _report(ledger);
        bytes memory closed = abi.encodeWithSelector(IDeposits.Settlement_RegionNotOpen.selector, REGION);
        _approve(quote, BEN, 10 * UNIT, 10 * UNIT);
        _freeze(REGION, epoch);
        _expectRefused(BEN, UNIT, closed);
        VM.prank(OWNER);
        settlement.uphold(REGION);
        _expectRefused(BEN, UNIT, closed);
        settlement.refundDeposit(REGION, FIRST_EPOCH - 1, 1);
        _expectRefused(BEN, UNIT, closed);
        // The other one has only been silent, since its first epoch began.
        VM.warp(FIRST_EPOCH * EPOCH_SECONDS + EXIT_AFTER + 1);
        VM.prank(BEN);
        VM.expectRevert(abi.encodeWithSelector(IDeposits.Settlement_RegionNotOpen.selector, OTHER_REGION));
        settlement.deposit(OTHER_REGION, BEN, UNIT);
    }

    function testRejects_withoutAllowanceOrMoney() external {
        VM.prank(ANNA);
        VM.expectRevert();
        settlement.deposit(REGION, ANNA, UNIT);
        _approve(quote, ANNA, UNIT, 2 * UNIT);
        VM.prank(ANNA);
        VM.expectRevert();
        settlement.deposit(REGION, ANNA, 2 * UNIT);
        VM.assertEq(settlement.regionOf(REGION).depositCount, 0);
    }

    function testRejects_tokenThatKeepsAFee() external {
        FeeToken token = new FeeToken();
        _begin(token);
        token.takeFee(true);
        _approve(token, ANNA, 100 * UNIT, 100 * UNIT);
        bytes4 fellShort = IDeposits.Settlement_TransferFellShort.selector;
        VM.prank(ANNA);
        VM.expectRevert(abi.encodeWithSelector(fellShort, 100 * UNIT, 99 * UNIT));
        settlement.deposit(REGION, ANNA, 100 * UNIT);
        VM.assertEq(settlement.regionOf(REGION).depositCount, 0);
    }

    function testRejects_tokenThatAnswersFalse() external {
        FalseToken token = new FalseToken();
        _begin(token);
        _approve(token, ANNA, UNIT, UNIT);
        VM.prank(ANNA);
        VM.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, token));
        settlement.deposit(REGION, ANNA, UNIT);
    }

    /// @dev In the middle of a deposit of 1 the token's caller deposits 5 more: counted together, 6 would seem to have arrived
    /// for the first.
    function testRejects_depositWithinADeposit() external {
        CallingToken token = new CallingToken();
        _begin(token);
        _approve(token, ANNA, UNIT, UNIT);
        _approve(token, address(token), 5 * UNIT, 5 * UNIT);
        token.callBack(address(settlement), abi.encodeCall(IDeposits.deposit, (REGION, ANNA, 5 * UNIT)));
        VM.prank(ANNA);
        settlement.deposit(REGION, ANNA, UNIT);
        VM.assertTrue(token.wasCalled());
        VM.assertFalse(token.hasSucceeded());
        bytes memory reentered = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        VM.assertEq(keccak256(token.answer()), keccak256(reentered));
        VM.assertEq(settlement.regionOf(REGION).depositedMicros, UNIT);
    }

    function testRejects_permitOfSomebodyElse() external {
        address owner = VM.addr(SECRET);
        quote.mint(owner, UNIT);
        (uint8 v, bytes32 r, bytes32 s) = _permit(UNIT, block.timestamp);
        VM.prank(STRANGER);
        VM.expectRevert();
        settlement.depositWithPermit(REGION, STRANGER, UNIT, block.timestamp, v, r, s);
        VM.assertEq(quote.balanceOf(owner), UNIT);
    }

    function testRejects_permitThatHasExpired() external {
        address owner = VM.addr(SECRET);
        quote.mint(owner, UNIT);
        (uint8 v, bytes32 r, bytes32 s) = _permit(UNIT, block.timestamp);
        VM.warp(block.timestamp + 1);
        VM.prank(owner);
        VM.expectRevert();
        settlement.depositWithPermit(REGION, owner, UNIT, block.timestamp - 1, v, r, s);
    }

    function testBehavior_depositsAreNumberedChainedAndKept() external {
        bytes32 first = keccak256(abi.encode(bytes32(0), REGION, 1, ANNA, 3 * UNIT));
        quote.mint(ANNA, 3 * UNIT);
        VM.startPrank(ANNA);
        quote.approve(address(settlement), 3 * UNIT);
        VM.expectEmit(address(settlement));
        emit IDeposits.Deposited(REGION, 1, ANNA, ANNA, 3 * UNIT, first);
        VM.assertEq(settlement.deposit(REGION, ANNA, 3 * UNIT), 1);
        VM.stopPrank();
        VM.warp(block.timestamp + 5);
        VM.assertEq(_deposit(REGION, BEN, 4 * UNIT), 2);
        VM.assertEq(_deposit(OTHER_REGION, BEN, 9 * UNIT), 1);

        (DepositRecord memory record, uint256 amountMicros, bytes32 hash) = settlement.depositOf(REGION, 2);
        VM.assertEq(record.account, BEN);
        VM.assertEq(record.depositedMicros, 7 * UNIT);
        VM.assertEq(record.atS, block.timestamp);
        VM.assertEq(amountMicros, 4 * UNIT);
        VM.assertEq(hash, keccak256(abi.encode(first, REGION, 2, BEN, 4 * UNIT)));
        (, amountMicros, hash) = settlement.depositOf(REGION, 3);
        VM.assertEq(amountMicros, 0);
        VM.assertEq(hash, 0);
        VM.assertEq(settlement.holdingsOf(REGION), 7 * UNIT);
        VM.assertEq(settlement.holdingsOf(OTHER_REGION), 9 * UNIT);
        VM.assertEq(quote.balanceOf(address(settlement)), 16 * UNIT);
    }

    function testBehavior_depositForAnotherAccount() external {
        _approve(quote, BEN, UNIT, UNIT);
        VM.prank(BEN);
        settlement.deposit(REGION, ANNA, UNIT);
        (DepositRecord memory record,,) = settlement.depositOf(REGION, 1);
        VM.assertEq(record.account, ANNA);
        VM.assertEq(quote.balanceOf(BEN), 0);
    }

    function testBehavior_depositWithPermit() external {
        address owner = VM.addr(SECRET);
        quote.mint(owner, UNIT);
        (uint8 v, bytes32 r, bytes32 s) = _permit(UNIT, block.timestamp);
        VM.prank(owner);
        settlement.depositWithPermit(REGION, ANNA, UNIT, block.timestamp, v, r, s);
        VM.assertEq(settlement.holdingsOf(REGION), UNIT);
        VM.assertEq(quote.allowance(owner, address(settlement)), 0);
    }

    /// @dev Somebody takes the permit out of the mempool and sends it alone: the deposit must not fail for it.
    function testBehavior_permitThatSomebodySentBefore() external {
        address owner = VM.addr(SECRET);
        quote.mint(owner, UNIT);
        (uint8 v, bytes32 r, bytes32 s) = _permit(UNIT, block.timestamp);
        VM.prank(STRANGER);
        quote.permit(owner, address(settlement), UNIT, block.timestamp, v, r, s);
        VM.prank(owner);
        settlement.depositWithPermit(REGION, owner, UNIT, block.timestamp, v, r, s);
        VM.assertEq(settlement.holdingsOf(REGION), UNIT);
    }

    function testBehavior_tokenThatAnswersNothing() external {
        SilentToken token = new SilentToken();
        _begin(TestQuote(address(token)));
        token.mint(ANNA, UNIT);
        VM.startPrank(ANNA);
        token.approve(address(settlement), UNIT);
        settlement.deposit(REGION, ANNA, UNIT);
        VM.stopPrank();
        VM.assertEq(settlement.holdingsOf(REGION), UNIT);
    }

    /// @dev Whatever is deposited, the running total of the last one is the sum, and the balance.
    function testProperty_totalsAreSums(uint256[8] calldata amounts) external {
        uint256 sum = 0;
        for (uint256 index = 0; index < amounts.length; ++index) {
            uint256 amountMicros = _within(amounts[index], UNIT, Limits.MAX_REGION_MICROS / 8);
            _deposit(REGION, ANNA, amountMicros);
            sum += amountMicros;
            (DepositRecord memory record, uint256 kept,) = settlement.depositOf(REGION, index + 1);
            VM.assertEq(kept, amountMicros);
            VM.assertEq(record.depositedMicros, sum);
        }
        VM.assertEq(quote.balanceOf(address(settlement)), sum);
    }

    /// @dev Writes the third word of a region's books: deposited, paid, refunded, number of deposits.
    function _setTotals(uint256 depositedMicros, uint256 paidMicros) private {
        uint256 word = depositedMicros | (paidMicros << 64) | (uint256(1) << 192);
        bytes32 books = keccak256(abi.encode(REGION, REGIONS_SLOT));
        VM.store(address(settlement), bytes32(uint256(books) + 2), bytes32(word));
        VM.assertEq(settlement.regionOf(REGION).depositedMicros, depositedMicros);
        VM.assertEq(settlement.regionOf(REGION).paidMicros, paidMicros);
    }

    function _approve(TestQuote token, address account, uint256 money, uint256 allowed) private {
        token.mint(account, money);
        VM.prank(account);
        token.approve(address(settlement), allowed);
    }

    function _expectRefused(address account, uint256 amountMicros, bytes memory refused) private {
        uint256 before = quote.balanceOf(address(settlement));
        VM.prank(account);
        VM.expectRevert(refused);
        settlement.deposit(REGION, account, amountMicros);
        VM.assertEq(quote.balanceOf(address(settlement)), before);
    }

    function _permit(uint256 value, uint256 deadlineS) private view returns (uint8, bytes32, bytes32) {
        address owner = VM.addr(SECRET);
        bytes32 terms = keccak256(abi.encode(PERMIT, owner, settlement, value, quote.nonces(owner), deadlineS));
        return VM.sign(SECRET, keccak256(abi.encodePacked("\x19\x01", quote.DOMAIN_SEPARATOR(), terms)));
    }
}
