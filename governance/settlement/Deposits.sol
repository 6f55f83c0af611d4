// SPDX-License-Identifier: Apache-2.0
// Owns money's way in: counted, chained, bounded. It refuses an amount that did not arrive whole, and every region that is not
// open.
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDeposits} from "./IDeposits.sol";
import {Regions} from "./Regions.sol";
import {DepositRecord, Limits, Region, Stage} from "./SettlementTypes.sol";

/// @title Money's way in; assumptions stand on `IDeposits`
abstract contract Deposits is Regions, IDeposits {
    using SafeERC20 for IERC20;

    IERC20 public immutable quote;

    constructor(IERC20Metadata quote_) {
        // A micro of the region is a base unit here.
        uint256 decimals = quote_.decimals();
        if (decimals != 6) revert Settlement_TokenDecimals(decimals);
        quote = quote_;
    }

    /// @inheritdoc IDeposits
    function deposit(bytes32 region, address account, uint256 amountMicros)
        external
        nonReentrant
        returns (uint256 index)
    {
        return _deposit(region, account, amountMicros);
    }

    /// @inheritdoc IDeposits
    function depositWithPermit(
        bytes32 region,
        address account,
        uint256 amountMicros,
        uint256 deadlineS,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint256 index) {
        // Whether it succeeds does not matter: somebody may have sent it first, and the transfer needs the allowance anyway.
        try IERC20Permit(address(quote)).permit(msg.sender, address(this), amountMicros, deadlineS, v, r, s) {} catch {}
        return _deposit(region, account, amountMicros);
    }

    /// @inheritdoc IDeposits
    function depositOf(bytes32 region, uint256 index)
        external
        view
        returns (DepositRecord memory record, uint256 amountMicros, bytes32 depositsHash)
    {
        record = _deposits[region][index];
        if (record.depositedMicros != 0) amountMicros = _amountOf(region, index);
        return (record, amountMicros, _depositsHash[region][index]);
    }

    /// @inheritdoc IDeposits
    function holdingsOf(bytes32 region) external view returns (uint256) {
        return _holdings(_booksOf(region));
    }

    function _deposit(bytes32 region, address account, uint256 amountMicros) private returns (uint256 index) {
        Region storage books = _booksOf(region);
        if (books.stage != Stage.Open || _isSilent(region, books)) revert Settlement_RegionNotOpen(region);
        if (account == address(0) || account == address(this)) revert Settlement_DepositAccount(account);
        uint256 leastMicros = _currentTerms(region, books).leastDepositMicros;
        if (amountMicros < leastMicros) revert Settlement_DepositTooSmall(amountMicros, leastMicros);
        uint256 mostMicros = _room(books);
        if (amountMicros > mostMicros) revert Settlement_DepositTooLarge(amountMicros, mostMicros);
        _collect(amountMicros);

        index = ++books.depositCount;
        // It has room, so the running total has too.
        books.depositedMicros += SafeCast.toUint64(amountMicros);
        _deposits[region][index] = DepositRecord(account, books.depositedMicros, SafeCast.toUint32(block.timestamp));
        bytes32 depositsHash =
            keccak256(abi.encode(_depositsHash[region][index - 1], region, index, account, amountMicros));
        _depositsHash[region][index] = depositsHash;
        emit Deposited(region, index, account, msg.sender, amountMicros, depositsHash);
    }

    /// @dev Nothing is written before the money is here, and nobody gets in between.
    function _collect(uint256 amountMicros) private {
        uint256 before = quote.balanceOf(address(this));
        quote.safeTransferFrom(msg.sender, address(this), amountMicros);
        uint256 arrivedMicros = quote.balanceOf(address(this)) - before;
        if (arrivedMicros != amountMicros) revert Settlement_TransferFellShort(amountMicros, arrivedMicros);
    }

    function _amountOf(bytes32 region, uint256 index) internal view returns (uint64) {
        return _deposits[region][index].depositedMicros - _deposits[region][index - 1].depositedMicros;
    }

    function _holdings(Region storage books) internal view returns (uint256) {
        return books.depositedMicros - books.paidMicros - books.refundedMicros;
    }

    /// @dev What the ledger may still take in: it never holds more than is here, and what is here never passes its bound.
    function _room(Region storage books) private view returns (uint256) {
        uint256 room = Limits.MAX_REGION_MICROS - _holdings(books);
        return Math.min(room, Limits.MAX_DEPOSITED_MICROS - books.depositedMicros);
    }

    /// @dev No report for so long that accounts may leave, or reports so far behind: an operator that sends one old epoch
    /// after the other, just in time, would lock everybody in.
    function _isSilent(bytes32 region, Region storage books) internal view returns (bool) {
        uint256 nextEndS = (uint256(books.reportedEpoch) + 2) * _epochSeconds(books);
        uint256 dueAtS = Math.max(nextEndS, books.releasedAtS);
        uint256 sinceS = Math.min(books.aliveAtS, dueAtS);
        return block.timestamp > sinceS + _currentTerms(region, books).exitAfterSeconds;
    }
}
