// SPDX-License-Identifier: Apache-2.0
// Owns what a depositor may rely on, and what it must see to itself. It refuses tokens that do not deliver what was sent.
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {DepositRecord} from "./SettlementTypes.sol";

/// @title Deposits
/// @notice Money enters a region here. It is numbered, and chained by hash to all that came before it, so that a region cannot
/// credit another deposit than the one that was made: its report names the number and the hash up to which it has counted.
/// @dev **What a depositor must know.**
/// - A deposit is credited when the region's mirror has seen it in a finalised block, and counted in a report that follows.
///   Until then it is not in anybody's leaf; in an exit it is paid back whole to the account that it was made for.
/// - It cannot be taken back otherwise. The account it was made for owns it, whoever paid.
/// - The quote asset is one with six decimals that moves exactly what it is told to move, and whose balances do not change by
///   themselves. One that keeps a fee, lies about success or calls back into this contract is refused. One whose issuer
///   freezes addresses may freeze this contract; that is for the vote to weigh when it chooses the asset.
/// - What is sent here without a deposit is no region's, and stays for ever.
interface IDeposits {
    /// @notice Hash of the region's deposits up to this one:
    /// keccak256(abi.encode(hash of the one before, region, index, account, amountMicros)); 32 zero bytes before the first.
    event Deposited(
        bytes32 indexed region,
        uint256 indexed index,
        address indexed account,
        address payer,
        uint256 amountMicros,
        bytes32 depositsHash
    );

    error Settlement_RegionNotOpen(bytes32 region);
    error Settlement_DepositAccount(address account);
    error Settlement_DepositTooSmall(uint256 amountMicros, uint256 leastMicros);
    error Settlement_DepositTooLarge(uint256 amountMicros, uint256 mostMicros);
    error Settlement_TransferFellShort(uint256 expectedMicros, uint256 arrivedMicros);

    /// @notice Deposits the caller's money for an account of a region.
    /// @param account The caller, or somebody else; not zero, not this contract.
    /// @return index From 1, without gaps.
    function deposit(bytes32 region, address account, uint256 amountMicros) external returns (uint256 index);

    /// @notice The same with the caller's permit (ERC-2612) instead of an earlier approval. A permit that somebody else has
    /// sent before does no harm: then its allowance is there.
    function depositWithPermit(
        bytes32 region,
        address account,
        uint256 amountMicros,
        uint256 deadlineS,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 index);

    function quote() external view returns (IERC20);

    /// @return record The deposit of an index; all zeros where there is none.
    /// @return amountMicros What it was made of.
    /// @return depositsHash Hash of all deposits up to it.
    function depositOf(bytes32 region, uint256 index)
        external
        view
        returns (DepositRecord memory record, uint256 amountMicros, bytes32 depositsHash);

    /// @notice What of the region's money is in this contract. Micros.
    function holdingsOf(bytes32 region) external view returns (uint256);
}
