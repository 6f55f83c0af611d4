// SPDX-License-Identifier: Apache-2.0
// Owns quote assets that misbehave, one way each. It refuses to be deployed anywhere: tests alone make them.
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {TestQuote} from "../tokens/TestQuote.sol";

/// @notice Eighteen decimals.
contract OddDecimals is ERC20 {
    constructor() ERC20("Odd", "ODD") {}
}

/// @notice Keeps a hundredth of every transfer once it is told to, so that deposits can be made before.
contract FeeToken is TestQuote {
    bool public takesFee;

    function takeFee(bool yes) external {
        takesFee = yes;
    }

    function _update(address from, address to, uint256 value) internal override {
        uint256 fee = takesFee && from != address(0) ? value / 100 : 0;
        super._update(from, to, value - fee);
        if (fee != 0) super._update(from, address(0xfee), fee);
    }
}

/// @notice Answers false and moves nothing.
contract FalseToken is TestQuote {
    bool public fails = true;

    function setFails(bool yes) external {
        fails = yes;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return !fails && super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return !fails && super.transferFrom(from, to, value);
    }
}

/// @notice Answers nothing at all, as some old and large ones do. It is no ERC-20 by its types, and works.
contract SilentToken {
    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) public allowance;
    uint8 public constant decimals = 6;

    function mint(address account, uint256 value) external {
        balanceOf[account] += value;
    }

    function approve(address spender, uint256 value) external {
        allowance[msg.sender][spender] = value;
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
    }

    function transferFrom(address from, address to, uint256 value) external {
        allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}

/// @notice Calls whom it is told to in the middle of every transfer, and remembers how that ended.
contract CallingToken is TestQuote {
    address private _target;
    bytes private _data;
    bool public wasCalled;
    bool public hasSucceeded;
    bytes public answer;

    function callBack(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0)) return;
        address target = _target;
        _target = address(0);
        (hasSucceeded, answer) = target.call(_data);
        wasCalled = true;
    }
}
