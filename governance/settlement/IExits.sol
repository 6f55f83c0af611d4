// SPDX-License-Identifier: Apache-2.0
// Owns how everybody leaves a region whose operator is gone or was found wrong. It refuses to let anybody leave while the
// region reports.
pragma solidity ^0.8.24;

import {Leaf, Path} from "./SumTree.sol";

/// @title Exit
/// @notice When no report has come for `exitAfterSeconds`, or the next one has been due for so long, or a freeze was upheld, every account takes what its leaf in the
/// last final report says it asked for and holds, less what it was paid; and its deposits with an index above the last one
/// that this report counted. The first exit fixes which report that is, for all and for ever; from then on the region takes
/// neither deposits nor reports. There is no cap.
/// @dev **What an account needs** is its leaf and its path of the last final epoch. It keeps those of every epoch itself, or
/// makes them from the journal, and so needs nobody's help. A deposit is paid back from what this contract keeps.
/// - Trades after that epoch are void. What was withdrawn in the ledger after it is still in its `heldMicros`.
/// - Until the first exit, reports before a frozen epoch go on becoming final. Whoever wants to leave by the last one waits.
/// - An exit pays no more in all than the deposits that its report counted; deposits above them are untouched by it.
interface IExits {
    /// @notice The exit's report is fixed; `epoch` is the one before the first where no report ever became final.
    event ExitBegan(bytes32 indexed region, uint256 indexed epoch);
    event Exited(bytes32 indexed region, address indexed account, uint256 amountMicros);
    event DepositRefunded(bytes32 indexed region, uint256 indexed index, address indexed account, uint256 amountMicros);

    error Settlement_ExitNotOpen(bytes32 region);
    error Settlement_NotLastFinal(uint256 epoch);
    error Settlement_OtherExitEpoch(uint256 epoch);
    error Settlement_DepositCounted(uint256 index);
    error Settlement_DepositRefundedBefore(uint256 index);
    error Settlement_DepositUnknown(uint256 index);

    /// @notice Pays an account all it has in a region that is over.
    /// @param epoch The last final one; the first exit fixes it.
    function exit(bytes32 region, uint256 epoch, Leaf calldata leaf, Path calldata path)
        external
        returns (uint256 amountMicros);

    /// @notice Pays a deposit back that the exit's report did not count.
    /// @param epoch The last final one; where no report ever became final, the one before the first.
    function refundDeposit(bytes32 region, uint256 epoch, uint256 index) external returns (uint256 amountMicros);

    /// @notice Whether accounts may leave now.
    function isExitOpen(bytes32 region) external view returns (bool);
}
