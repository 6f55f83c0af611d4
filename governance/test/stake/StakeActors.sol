// SPDX-License-Identifier: Apache-2.0
// Owns three providers, an operator that lies whenever it can, a vote that sleeps now and then, and books of its own about all of
// them. It refuses to look into the contract for what it can count itself.
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ProviderStake} from "../../stake/ProviderStake.sol";
import {Slash, SlashStage, Stake, Wrong} from "../../stake/StakeTypes.sol";
import {TestQuote} from "../../tokens/TestQuote.sol";
import {Change, IRewardParameters, Parameter} from "../../vote/IRewardParameters.sol";
import {Cheats} from "../Cheats.sol";

/// @notice From when on something had a value.
struct Since {
    uint256 atS;
    uint256 value;
}

/// @notice A slash that the contract took.
struct Told {
    uint256 account;
    uint256 amountMicros;
    uint256 queuedAtS;
    uint256 executedAtS;
    bool isCancelled;
}

contract StakeActors is Cheats {
    uint256 public constant ACCOUNTS = 3;
    uint256 private constant KINDS = 10;
    uint256 private constant JOBS = 40;
    uint256 private constant DAY = 1 days;

    ProviderStake private immutable STAKES;
    TestQuote private immutable QUOTE;
    bytes32 private immutable REGION;
    address private immutable OPERATOR;
    address private immutable OWNER;
    uint256 public acts;
    uint256 public inMicros;
    uint256 public outMicros;
    uint256 public slashedMicros;
    mapping(string act => uint256) public done;
    mapping(uint256 account => Since[]) private _totals;
    mapping(uint256 account => mapping(bytes32 job => bool)) private _isSlashed;
    mapping(uint256 account => uint256) public unbondsAtS;
    Since[] private _shares;
    Told[] private _told;

    constructor(ProviderStake stakes, bytes32 region, address operator, uint256 slashBps) {
        (STAKES, REGION, OPERATOR, OWNER) = (stakes, region, operator, stakes.owner());
        QUOTE = TestQuote(address(stakes.quote()));
        _shares.push(Since(0, slashBps));
    }

    function accountOf(uint256 account) public pure returns (address) {
        return address(SafeCast.toUint160(0xacc0 + account));
    }

    function act(uint256 raw) external {
        ++acts;
        // The runner likes small numbers, which would all mean the same.
        uint256 seed = uint256(keccak256(abi.encode(raw, acts)));
        VM.warp(block.timestamp + _within(seed, 1, seed % 4 == 0 ? 4 days : 3 hours));
        uint256 account = _within(seed >> 32, 0, ACCOUNTS - 1);
        uint256 kind = _within(seed >> 64, 0, KINDS - 1);
        uint256 pick = seed >> 96;
        if (kind == 0) _stake(account, pick);
        else if (kind == 1) _topUp(account, pick);
        else if (kind == 2) _rotate(account, pick);
        else if (kind == 3) _turn(account);
        else if (kind == 4) _withdraw(account);
        else if (kind == 5) _execute(pick);
        else if (kind == 6) _cancel(pick);
        else if (kind == 7) _vote(pick);
        else _queue(account, pick);
    }

    /// @dev Sums over what the contract took, by stage.
    function queuedOf(uint256 account) public view returns (uint256 sum) {
        for (uint256 index = 0; index < _told.length; ++index) {
            Told storage told = _told[index];
            if (told.account == account && told.executedAtS == 0 && !told.isCancelled) sum += told.amountMicros;
        }
    }

    /// @dev What was taken of an account within the last so many seconds.
    function executedSince(uint256 account, uint256 fromS) external view returns (uint256 sum) {
        for (uint256 index = 0; index < _told.length; ++index) {
            if (_told[index].account == account && _told[index].executedAtS > fromS) sum += _told[index].amountMicros;
        }
    }

    /// @dev The largest share of the largest stake there ever was.
    function mostOf(uint256 account) external view returns (uint256) {
        return _largest(_totals[account]) * _largest(_shares) / 10_000;
    }

    function totalOf(uint256 account) public view returns (uint256) {
        return _at(_totals[account], block.timestamp);
    }

    function _stake(uint256 account, uint256 pick) private {
        uint256 amountMicros = _within(pick, 40_000_000, 400_000_000);
        _fund(account, amountMicros);
        try STAKES.stake(REGION, _keyOf(account, pick >> 64), amountMicros) {
            _came(account, amountMicros, "stake");
        } catch {
            ++done["refused"];
        }
        VM.stopPrank();
    }

    function _topUp(uint256 account, uint256 pick) private {
        uint256 amountMicros = _within(pick, 900_000, 90_000_000);
        _fund(account, amountMicros);
        try STAKES.topUp(REGION, amountMicros) {
            _came(account, amountMicros, "top up");
        } catch {
            ++done["refused"];
        }
        VM.stopPrank();
    }

    function _rotate(uint256 account, uint256 pick) private {
        VM.prank(accountOf(account));
        try STAKES.rotateKey(REGION, _keyOf(account, pick)) {
            ++done["rotate"];
        } catch {
            ++done["refused"];
        }
    }

    /// @dev Leaves, or stays after all.
    function _turn(uint256 account) private {
        VM.startPrank(accountOf(account));
        if (unbondsAtS[account] == 0) {
            try STAKES.beginUnbonding(REGION) returns (uint256 atS) {
                unbondsAtS[account] = atS;
                ++done["unbond"];
            } catch {
                ++done["refused"];
            }
        } else if (block.timestamp % 3 == 0) {
            try STAKES.cancelUnbonding(REGION) {
                unbondsAtS[account] = 0;
            } catch {
                ++done["refused"];
            }
        }
        VM.stopPrank();
    }

    function _withdraw(uint256 account) private {
        uint256 mostMicros = totalOf(account) - queuedOf(account);
        VM.prank(accountOf(account));
        try STAKES.withdraw(REGION) returns (uint256 amountMicros) {
            VM.assertEq(amountMicros, mostMicros, "more or less than is free left");
            VM.assertTrue(unbondsAtS[account] != 0 && block.timestamp >= unbondsAtS[account], "left too early");
            outMicros += amountMicros;
            _set(account, totalOf(account) - amountMicros);
            if (totalOf(account) == 0) unbondsAtS[account] = 0;
            ++done["withdraw"];
        } catch {
            ++done["refused"];
        }
    }

    /// @dev A wrong that never was, at any second that may pass for one, for as much as might be had.
    function _queue(uint256 account, uint256 pick) private {
        uint256 atS = block.timestamp - _within(pick, 0, 4 days);
        uint256 mostMicros = STAKES.mostSlashMicros(REGION, accountOf(account), atS);
        uint256 amountMicros = pick & 3 == 0 ? mostMicros + 1 : _within(pick >> 8, 0, mostMicros);
        bytes32 job = bytes32(_within(pick >> 64, 1, JOBS));
        Wrong memory wrong = Wrong(
            REGION, accountOf(account), _keyOf(account, pick >> 128), job, bytes32(pick), 1, SafeCast.toUint40(atS)
        );
        VM.prank(OPERATOR);
        try STAKES.queueSlash(wrong, amountMicros) {
            _note(account, job, amountMicros, atS);
        } catch {
            ++done["refused"];
        }
    }

    /// @dev By its own arithmetic.
    function _note(uint256 account, bytes32 job, uint256 amountMicros, uint256 atS) private {
        VM.assertFalse(_isSlashed[account][job]);
        _isSlashed[account][job] = true;
        uint256 shareMicros = _at(_totals[account], atS) * _at(_shares, atS) / 10_000;
        VM.assertLe(queuedOf(account) + amountMicros, shareMicros, "more than the share waits");
        VM.assertTrue(atS + STAKES.auditSeconds() >= block.timestamp, "after the audit");
        _told.push(Told(account, amountMicros, block.timestamp, 0, false));
        ++done["queue"];
    }

    /// @dev Any one, and the oldest that waits: nobody leaves a due one lying for long.
    function _execute(uint256 pick) private {
        if (_told.length == 0) return;
        _executeOne(_within(pick, 0, _told.length - 1));
        uint256 oldest = 0;
        while (oldest < _told.length - 1 && (_told[oldest].executedAtS != 0 || _told[oldest].isCancelled)) ++oldest;
        _executeOne(oldest);
    }

    function _executeOne(uint256 index) private {
        Told storage told = _told[index];
        try STAKES.executeSlash(REGION, index + 1) {
            VM.assertTrue(told.executedAtS == 0 && !told.isCancelled, "executed twice, or after a cancel");
            VM.assertTrue(block.timestamp >= told.queuedAtS + STAKES.slashDelaySeconds(), "before its time");
            told.executedAtS = block.timestamp;
            slashedMicros += told.amountMicros;
            _set(told.account, totalOf(told.account) - told.amountMicros);
            if (totalOf(told.account) == 0) unbondsAtS[told.account] = 0;
            ++done["execute"];
        } catch {
            ++done["refused"];
        }
    }

    function _cancel(uint256 pick) private {
        // The vote sleeps more often than not.
        if (_told.length == 0 || pick % 3 != 0) return;
        uint256 index = _within(pick >> 8, 0, _told.length - 1);
        VM.prank(OWNER);
        try STAKES.cancelSlashes(REGION, index + 1, index + 1) {
            VM.assertTrue(_told[index].executedAtS == 0 && !_told[index].isCancelled, "cancelled twice, or too late");
            _told[index].isCancelled = true;
            ++done["cancel"];
        } catch {
            ++done["refused"];
        }
    }

    function _vote(uint256 pick) private {
        IRewardParameters parameters = STAKES.parameters();
        Change[] memory changes = new Change[](1);
        changes[0] = Change(Parameter.SlashBps, _within(pick, 500, 2_500));
        VM.prank(OWNER);
        try parameters.change(REGION, changes) {
            uint256 newest = parameters.versionCount(REGION) - 1;
            _shares.push(Since(parameters.versionOf(REGION, newest).fromEpoch * DAY, changes[0].value));
            ++done["vote"];
        } catch {
            ++done["refused"];
        }
    }

    /// @dev Leaves the account to act.
    function _fund(uint256 account, uint256 amountMicros) private {
        VM.startPrank(accountOf(account));
        QUOTE.mint(accountOf(account), amountMicros);
        QUOTE.approve(address(STAKES), amountMicros);
    }

    function _came(uint256 account, uint256 amountMicros, string memory how) private {
        inMicros += amountMicros;
        _set(account, totalOf(account) + amountMicros);
        ++done[how];
    }

    /// @dev Few keys, so that one is often somebody else's.
    function _keyOf(uint256 account, uint256 pick) private pure returns (bytes32) {
        return bytes32(pick % 8 == 0 ? _within(pick >> 8, 1, 6) : 2 * account + 1 + pick % 2);
    }

    function _set(uint256 account, uint256 totalMicros) private {
        _totals[account].push(Since(block.timestamp, totalMicros));
    }

    function _at(Since[] storage all, uint256 atS) private view returns (uint256 value) {
        for (uint256 index = 0; index < all.length; ++index) {
            if (all[index].atS <= atS) value = all[index].value;
        }
    }

    function _largest(Since[] storage all) private view returns (uint256 value) {
        for (uint256 index = 0; index < all.length; ++index) {
            if (all[index].value > value) value = all[index].value;
        }
    }
}
