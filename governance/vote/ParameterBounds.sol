// SPDX-License-Identifier: Apache-2.0
// Owns what each governed value may be, how large a step to it, and how often. It refuses to be changed by a vote: a bad vote
// moves a value one step.
pragma solidity ^0.8.24;

import {Limits} from "../settlement/SettlementTypes.sol";
import {Bounds, Parameter} from "./IRewardParameters.sol";

/// @notice Bounds that have a name in protocol/limits.ts, or that Settlement has too, have the same value.
library ParameterBounds {
    uint256 internal constant COUNT = 19;
    uint256 private constant MAX_WEIGHT = 1_000_000;
    uint256 private constant MAX_TAKE_RATE_BPS = 2_000;
    uint256 private constant MAX_NETWORK_FEE_MICROS_PER_KWH = 1_000_000;
    uint256 private constant MAX_PROOF_DELAY_SECONDS = 86_400;
    /// @dev The market writes token amounts with thirty digits at most.
    uint256 private constant MAX_TOKEN_AMOUNT = Limits.MAX_EMISSION;
    uint256 private constant TOKEN = 1 ether;

    /// @dev What somebody earns or pays by, once a week: long enough to see what a step did. What money rests on, once a month.
    uint256 private constant WEEK = 7 days;
    uint256 private constant MONTH = 30 days;

    function boundsOf(Parameter parameter) internal pure returns (Bounds memory) {
        if (parameter <= Parameter.RewardWeightBandwidth) return Bounds(0, MAX_WEIGHT, 2_500, 10, WEEK);
        if (parameter <= Parameter.ShareCapBps) return _ofRewards(parameter);
        if (parameter <= Parameter.ProofDelaySeconds) return _ofMarket(parameter);
        if (parameter <= Parameter.LeastDepositMicros) return _ofSettlement(parameter);
        return _ofProviders(parameter);
    }

    function _ofRewards(Parameter parameter) private pure returns (Bounds memory) {
        if (parameter == Parameter.EmissionPerEpoch) {
            return Bounds(0, Limits.MAX_EMISSION, 2_500, 100 * TOKEN, WEEK);
        }
        if (parameter == Parameter.EmissionDecayBps) return Bounds(0, Limits.BPS, 2_500, 25, WEEK);
        // A step of a quarter: it is what keeps trading with oneself a loss.
        if (parameter == Parameter.RewardPerFee) return Bounds(0, MAX_TOKEN_AMOUNT, 2_500, TOKEN, WEEK);
        return Bounds(0, Limits.BPS, 2_500, 250, WEEK);
    }

    function _ofMarket(Parameter parameter) private pure returns (Bounds memory) {
        if (parameter == Parameter.TakeRateBps) return Bounds(0, MAX_TAKE_RATE_BPS, 2_500, 50, WEEK);
        if (parameter == Parameter.NetworkFeeMicrosPerKwh) {
            return Bounds(0, MAX_NETWORK_FEE_MICROS_PER_KWH, 2_500, 5_000, WEEK);
        }
        if (parameter == Parameter.ClearingPriceK) return Bounds(0, Limits.BPS, 0, 1_000, WEEK);
        return Bounds(1, MAX_PROOF_DELAY_SECONDS, 5_000, 15 minutes, WEEK);
    }

    function _ofSettlement(Parameter parameter) private pure returns (Bounds memory) {
        if (parameter == Parameter.OutflowCapBps) {
            return Bounds(Limits.MIN_OUTFLOW_CAP_BPS, Limits.BPS, 2_500, 250, MONTH);
        }
        if (parameter == Parameter.FinalityDelaySeconds) {
            return Bounds(Limits.MIN_FINALITY_SECONDS, Limits.MAX_FINALITY_SECONDS, 5_000, 12 hours, MONTH);
        }
        if (parameter == Parameter.ExitAfterSeconds) {
            return Bounds(Limits.MIN_FINALITY_SECONDS, Limits.MAX_EXIT_AFTER_SECONDS, 2_500, 1 days, MONTH);
        }
        return Bounds(1, Limits.MAX_REGION_MICROS, 5_000, 1_000_000, MONTH);
    }

    function _ofProviders(Parameter parameter) private pure returns (Bounds memory) {
        if (parameter == Parameter.ProviderMinimumStake) {
            return Bounds(0, Limits.MAX_REGION_MICROS, 2_500, 10_000_000, MONTH);
        }
        if (parameter == Parameter.UnbondingSeconds) return Bounds(1 hours, 90 days, 5_000, 1 days, MONTH);
        if (parameter == Parameter.SlashBps) return Bounds(0, Limits.BPS, 2_500, 500, MONTH);
        return Bounds(0, Limits.BPS, 5_000, 100, WEEK);
    }
}
