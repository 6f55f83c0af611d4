// SPDX-License-Identifier: Apache-2.0
// Owns which version of a region's governed values holds in an epoch. It refuses a region that has none.
pragma solidity ^0.8.24;

import {IRewardParameters, Version} from "../vote/IRewardParameters.sol";

library ParametersInForce {
    error ParametersInForce_RegionUnknown(bytes32 region);

    /// @dev From the newest one back: of two that begin with the same epoch the later one holds. Before the first epoch the
    /// opening's hold. A cool-down bounds how many there are in a month.
    function valuesIn(IRewardParameters parameters, bytes32 region, uint256 epoch)
        internal
        view
        returns (uint256[19] memory)
    {
        uint256 version = parameters.versionCount(region);
        if (version == 0) revert ParametersInForce_RegionUnknown(region);
        Version memory found = parameters.versionOf(region, --version);
        while (version != 0 && found.fromEpoch > epoch) {
            found = parameters.versionOf(region, --version);
        }
        return found.values;
    }
}
