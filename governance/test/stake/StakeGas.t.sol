// SPDX-License-Identifier: Apache-2.0
// Owns the gas of everything that a provider, an operator and a vote do with stakes, as whole transactions. It refuses none; the
// figures are kept in governance/snapshots and compared in every run.
pragma solidity ^0.8.24;

import {StakeFixture} from "./StakeFixture.sol";

/// forge-config: default.isolate = true
contract StakeGasTest is StakeFixture {
    string private constant GROUP = "Stake";

    function testBehavior_gasOfAProvidersLife() external {
        _stake(DORA, DORAS_KEY, 2 * MINIMUM);
        VM.snapshotGasLastCall(GROUP, "stake");
        _wait(1 hours);
        _topUp(DORA, UNIT);
        VM.snapshotGasLastCall(GROUP, "top up");
        _wait(1 hours);
        _rotate(DORA, OTHER_KEY);
        VM.snapshotGasLastCall(GROUP, "rotate a key");
        _wait(1 hours);
        _unbond(DORA);
        VM.snapshotGasLastCall(GROUP, "begin unbonding");
        _wait(UNBONDING);
        _withdraw(DORA);
        VM.snapshotGasLastCall(GROUP, "withdraw");
    }

    function testBehavior_gasOfSlashes() external {
        _stake(DORA, DORAS_KEY, 2 * MINIMUM);
        _wait(1 hours);
        _queue(_wrong(), UNIT);
        VM.snapshotGasLastCall(GROUP, "queue a slash");
        _queue(_wrongOf(DORA, DORAS_KEY, keccak256("next job")), UNIT);
        _cancel(2, 2);
        VM.snapshotGasLastCall(GROUP, "cancel a slash");
        _wait(DELAY);
        stakes.executeSlash(REGION, 1);
        VM.snapshotGasLastCall(GROUP, "execute a slash");
    }

    /// @dev As many as can wait of one account: a vote must fit into a block.
    function testBehavior_gasOfCancellingAll() external {
        _stake(DORA, DORAS_KEY, 2 * MINIMUM);
        _wait(1 hours);
        for (uint256 job = 0; job < 16; ++job) {
            _queue(_wrongOf(DORA, DORAS_KEY, bytes32(job)), 1);
        }
        _cancel(1, 16);
        VM.snapshotGasLastCall(GROUP, "cancel an account's sixteen slashes");
    }

    /// @dev A chain takes contracts of up to 24,576 bytes.
    function testBehavior_codeSize() external {
        VM.snapshotValue(GROUP, "bytes of ProviderStake", address(stakes).code.length);
        VM.assertLe(address(stakes).code.length, 24_576);
    }
}
