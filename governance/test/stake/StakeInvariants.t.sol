// SPDX-License-Identifier: Apache-2.0
// Owns what must hold of stakes after any row of acts, under an operator that lies. It refuses runs in which nothing happens.
pragma solidity ^0.8.24;

import {Stake} from "../../stake/StakeTypes.sol";
import {FuzzSelector} from "../SettlementInvariants.t.sol";
import {StakeActors} from "./StakeActors.sol";
import {StakeFixture} from "./StakeFixture.sol";

contract StakeInvariantsTest is StakeFixture {
    StakeActors private _actors;
    uint256 private _treasuryHad;

    function setUp() public override {
        super.setUp();
        _actors = new StakeActors(stakes, REGION, OPERATOR, SHARE_BPS);
        _treasuryHad = quote.balanceOf(treasury);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actors);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        selectors[0] = FuzzSelector(address(_actors), new bytes4[](1));
        selectors[0].selectors[0] = StakeActors.act.selector;
    }

    /// @dev All that is here is somebody's, free or queued; what is not here left by its account or went to the treasury.
    function invariant_stakes() external view {
        uint256 sum = 0;
        for (uint256 account = 0; account < _actors.ACCOUNTS(); ++account) {
            Stake memory held = stakes.stakeOf(REGION, _actors.accountOf(account));
            sum += uint256(held.bondedMicros) + held.queuedMicros;
            VM.assertEq(uint256(held.bondedMicros) + held.queuedMicros, _actors.totalOf(account), "a stake");
            VM.assertEq(held.queuedMicros, _actors.queuedOf(account), "what is queued");
            VM.assertEq(held.unbondsAtS, _actors.unbondsAtS(account), "unbonding");
            // No liar takes more than one share in a delay.
            uint256 takenMicros = _actors.executedSince(account, block.timestamp - DELAY);
            VM.assertLe(takenMicros, _actors.mostOf(account), "more than a share in a delay");
        }
        VM.assertEq(quote.balanceOf(address(stakes)), sum, "the balance");
        VM.assertEq(_actors.inMicros(), sum + _actors.outMicros() + _actors.slashedMicros(), "all that came in");
        VM.assertEq(quote.balanceOf(treasury) - _treasuryHad, _actors.slashedMicros(), "all that was taken");
        VM.assertEq(quote.balanceOf(OPERATOR), 0);
    }

    function afterInvariant() external view {
        // A run that failed and was shortened is not held to this: it would hide what failed.
        if (_actors.acts() < 200) return;
        string[6] memory acts = ["stake", "unbond", "queue", "execute", "refused", "rotate"];
        for (uint256 index = 0; index < 6; ++index) {
            VM.assertGt(_actors.done(acts[index]), 0, acts[index]);
        }
    }
}
