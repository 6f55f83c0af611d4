// SPDX-License-Identifier: Apache-2.0
// Owns slashes of stakes: queued by a region's operator, cancelled by a vote, executed by anybody. It refuses more than the
// governed share, a second one for a job, and to pay whoever reports.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRegions} from "../settlement/IRegions.sol";
import {Limits, Region, Stage} from "../settlement/SettlementTypes.sol";
import {IRewardParameters, Parameter} from "../vote/IRewardParameters.sol";
import {IProviderStake} from "./IProviderStake.sol";
import {Act, Slash, SlashStage, Stake, StakeLimits, Wrong} from "./StakeTypes.sol";
import {Stakes} from "./Stakes.sol";

/// @title Stakes of those who sell compute and bandwidth; assumptions stand on `IProviderStake`
contract ProviderStake is Stakes, Ownable {
    using SafeERC20 for IERC20;

    address public immutable slashReceiver;
    mapping(bytes32 region => mapping(uint256 slash => Slash)) private _slashes;
    mapping(bytes32 region => uint256) private _slashCount;
    mapping(bytes32 region => mapping(address account => mapping(bytes32 jobDigest => bool))) private _isSlashed;

    /// @param quote_ The asset of stakes; six decimals.
    /// @param regions_ Says which regions there are, and who operates them: Settlement.
    /// @param parameters_ Has the governed values.
    /// @param owner_ Who cancels slashes; a timelock, or who hands over to one.
    /// @param slashReceiver_ Where slashed money goes, for ever: the treasury.
    constructor(
        IERC20Metadata quote_,
        IRegions regions_,
        IRewardParameters parameters_,
        address owner_,
        address slashReceiver_,
        uint256 auditSeconds_,
        uint256 slashDelaySeconds_
    ) Ownable(owner_) Stakes(quote_, regions_, parameters_, auditSeconds_, slashDelaySeconds_) {
        bool isNobody = slashReceiver_ == address(0) || slashReceiver_ == address(this);
        if (isNobody) revert ProviderStake_ReceiverNeeded(slashReceiver_);
        slashReceiver = slashReceiver_;
    }

    /// @inheritdoc IProviderStake
    function queueSlash(Wrong calldata wrong, uint256 amountMicros) external nonReentrant returns (uint256 slash) {
        bytes32 region = wrong.region;
        _requireReporter(region);
        _requireWrong(wrong);
        Stake storage held = _heldBy(region, wrong.account);
        _requireSlashable(held, wrong, amountMicros);

        _isSlashed[region][wrong.account][wrong.jobDigest] = true;
        uint64 amount = SafeCast.toUint64(amountMicros);
        held.bondedMicros -= amount;
        held.queuedMicros += amount;
        ++held.waiting;
        slash = ++_slashCount[region];
        uint40 dueAtS = SafeCast.toUint40(block.timestamp + slashDelaySeconds);
        _slashes[region][slash] = Slash(wrong.account, amount, SlashStage.Queued, dueAtS, keccak256(abi.encode(wrong)));
        emit SlashQueued(region, slash, wrong.account, amountMicros, dueAtS, wrong);
        _note(region, wrong.account, held, Act.SlashQueued);
    }

    /// @inheritdoc IProviderStake
    function cancelSlashes(bytes32 region, uint256 first, uint256 last)
        external
        nonReentrant
        returns (uint256 cancelled)
    {
        bool mayCancel = msg.sender == owner() || _isOver(region);
        if (!mayCancel) revert ProviderStake_MayNotCancel(msg.sender);
        uint256 end = Math.min(last, _slashCount[region]);
        for (uint256 slash = first; slash <= end; ++slash) {
            if (_slashes[region][slash].stage != SlashStage.Queued) continue;
            _cancel(region, slash);
            ++cancelled;
        }
        if (cancelled == 0) revert ProviderStake_NotQueued(region, first);
    }

    /// @inheritdoc IProviderStake
    function executeSlash(bytes32 region, uint256 slash) external nonReentrant {
        Slash storage queued = _slashes[region][slash];
        if (queued.stage != SlashStage.Queued) revert ProviderStake_NotQueued(region, slash);
        if (block.timestamp < queued.dueAtS) revert ProviderStake_NotDue(queued.dueAtS);
        if (regions.regionOf(region).stage != Stage.Open) revert ProviderStake_RegionNotOpen(region);
        address account = queued.account;
        Stake storage held = _stakes[region][account];
        queued.stage = SlashStage.Executed;
        held.queuedMicros -= queued.amountMicros;
        --held.waiting;
        _noteTotal(region, account, held);
        _forgetEmpty(region, account);
        emit SlashExecuted(region, slash, account, queued.amountMicros, msg.sender);
        quote.safeTransfer(slashReceiver, queued.amountMicros);
    }

    /// @notice Refused: nobody could cancel a slash any more.
    function renounceOwnership() public view override onlyOwner {
        revert ProviderStake_OwnerNeeded();
    }

    /// @inheritdoc IProviderStake
    function countsOf(bytes32 region) external view returns (uint256 events, uint256 slashes) {
        return (_eventCount[region], _slashCount[region]);
    }

    /// @inheritdoc IProviderStake
    function slashOf(bytes32 region, uint256 slash) external view returns (Slash memory) {
        return _slashes[region][slash];
    }

    /// @inheritdoc IProviderStake
    function isJobSlashed(bytes32 region, address account, bytes32 jobDigest) external view returns (bool) {
        return _isSlashed[region][account][jobDigest];
    }

    /// @inheritdoc IProviderStake
    function mostSlashMicros(bytes32 region, address account, uint256 atS) external view returns (uint256) {
        Stake storage held = _stakes[region][account];
        uint256 shareMicros = _shareDown(region, account, atS);
        return Math.min(held.bondedMicros, shareMicros - Math.min(shareMicros, held.queuedMicros));
    }

    function _cancel(bytes32 region, uint256 slash) private {
        Slash storage queued = _slashes[region][slash];
        Stake storage held = _stakes[region][queued.account];
        queued.stage = SlashStage.Cancelled;
        held.queuedMicros -= queued.amountMicros;
        held.bondedMicros += queued.amountMicros;
        --held.waiting;
        emit SlashCancelled(region, slash, queued.account, queued.amountMicros, msg.sender);
        _note(region, queued.account, held, Act.SlashCancelled);
    }

    /// @dev Also while the region is frozen: nothing is executed then, and a provider could leave in the meantime.
    function _requireReporter(bytes32 region) private view {
        Region memory books = regions.regionOf(region);
        if (msg.sender != books.operator) revert ProviderStake_NotOperator(msg.sender, region);
        if (books.stage != Stage.Open && books.stage != Stage.Frozen) revert ProviderStake_RegionNotOpen(region);
        if (msg.sender == slashReceiver) revert ProviderStake_ReceiverReports(slashReceiver);
    }

    function _requireWrong(Wrong calldata wrong) private view {
        uint256 leastS = block.timestamp - auditSeconds;
        if (wrong.atS < leastS || wrong.atS > block.timestamp) {
            revert ProviderStake_WrongOutOfTime(wrong.atS, leastS, block.timestamp);
        }
        if (accountOfKey(wrong.region, wrong.nodeKey) != wrong.account) {
            revert ProviderStake_OtherKey(wrong.nodeKey, wrong.account);
        }
        if (_isSlashed[wrong.region][wrong.account][wrong.jobDigest]) {
            revert ProviderStake_SlashedBefore(wrong.jobDigest, wrong.account);
        }
    }

    function _requireSlashable(Stake storage held, Wrong calldata wrong, uint256 amountMicros) private view {
        if (amountMicros == 0) revert ProviderStake_NothingToSlash();
        if (held.waiting >= StakeLimits.MAX_WAITING) revert ProviderStake_TooManyWaiting(held.waiting);
        if (amountMicros > held.bondedMicros) revert ProviderStake_AboveStake(amountMicros, held.bondedMicros);
        uint256 shareMicros = _shareDown(wrong.region, wrong.account, wrong.atS);
        uint256 wouldBeMicros = held.queuedMicros + amountMicros;
        if (wouldBeMicros > shareMicros) revert ProviderStake_AboveShare(wouldBeMicros, shareMicros);
    }

    /// @dev The governed share of what was at stake in a second, by the values that held then.
    function _shareDown(bytes32 region, address account, uint256 atS) private view returns (uint256) {
        uint256 slashBps = _valuesAtS(region, atS)[uint256(Parameter.SlashBps)];
        return stakedAtS(region, account, atS) * slashBps / Limits.BPS;
    }
}
