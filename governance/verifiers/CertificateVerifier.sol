// SPDX-License-Identifier: GPL-3.0
// Owns the pairing equation of the certificate circuit, generated from its key by `npm run circuits:solidity`.
// It refuses nothing else: roots, nullifiers, accounts, ranges of claims, key and chain are its gate's to check.
/*
    Copyright 2021 0KIMS association.

    This file is generated with [snarkJS](https://github.com/iden3/snarkjs).

    snarkJS is a free software: you can redistribute it and/or modify it
    under the terms of the GNU General Public License as published by
    the Free Software Foundation, either version 3 of the License, or
    (at your option) any later version.

    snarkJS is distributed in the hope that it will be useful, but WITHOUT
    ANY WARRANTY; without even the implied warranty of MERCHANTABILITY
    or FITNESS FOR A PARTICULAR PURPOSE. See the GNU General Public
    License for more details.

    You should have received a copy of the GNU General Public License
    along with snarkJS. If not, see <https://www.gnu.org/licenses/>.
*/

pragma solidity >=0.7.0 <0.9.0;

contract CertificateVerifier {
    string public constant keyOrigin = "development";
    bytes32 public constant keyHash = 0x3b074b3408962ea3474871c8bc222b78d3f1d2adc104bc4c0da6716efdec7574;

    function keyIsContributed() external pure returns (bool) {
        return gammax1 != deltax1 || gammax2 != deltax2 || gammay1 != deltay1 || gammay2 != deltay2;
    }

    // Scalar field size
    uint256 constant r    = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    // Base field size
    uint256 constant q   = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    // Verification Key data
    uint256 constant alphax  = 19627580398652206246991254511772178973069434184871258710173852487886275440100;
    uint256 constant alphay  = 17340946612212353324492625704079198001557242906015783709688411371834344943095;
    uint256 constant betax1  = 19571438799358301417084499752495797286862368849290464620602378052348126480745;
    uint256 constant betax2  = 18319159881123517805064981873177781506641961428059666336497656489238416929518;
    uint256 constant betay1  = 6798798470493514368282936390029899936244099873905361708929352585830308733099;
    uint256 constant betay2  = 17760234298171850452661549167406419478162434843184553356851654871609010724948;
    uint256 constant gammax1 = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 constant gammax2 = 10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 constant gammay1 = 4082367875863433681332203403145435568316851327593401208105741076214120093531;
    uint256 constant gammay2 = 8495653923123431417604973247489272438418190587263600148770280649306958101930;
    uint256 constant deltax1 = 15467634454804473428215925222473884926999232774906168221426649967451204498611;
    uint256 constant deltax2 = 7182302341701102918167445036148173119782354385298191357019825611001043606206;
    uint256 constant deltay1 = 20774045098801097092451258238761523601911301695905032682561167238654624506119;
    uint256 constant deltay2 = 1991559002697964358924393056183294870690882444117200648091604336432318962020;

    uint256 constant IC0x = 9209634597415942655030465598405119794442242167486055573945359291669859360214;
    uint256 constant IC0y = 15512395635155343409882053521502484631170159183380991302937991471619916745993;

    uint256 constant IC1x = 15840179830878664016095202771907236528800485118742969982469015707175439162698;
    uint256 constant IC1y = 10680093935534034244839511604537998408312841055338890552757676088286873373868;

    uint256 constant IC2x = 14332920180748522689481181247804632318242092070881887716510518431001441403522;
    uint256 constant IC2y = 10148507184285926539343423738000043272249765117492141542694006922478728992428;

    uint256 constant IC3x = 17169721034347342103337613024739211433123219944353268482197882257817246324046;
    uint256 constant IC3y = 7016434508400637520596062453343471877131420654788984028114160963988933533001;

    uint256 constant IC4x = 3291951499293435788779378732694486355704670620940029900676572008950026789415;
    uint256 constant IC4y = 7441946060313789775331044334156127860313006709683820076664352625807847410717;

    uint256 constant IC5x = 284503859654056941878572213044590360371860381091709150039298642472983506719;
    uint256 constant IC5y = 21122266102215701377388768940433602639589086711777606516491828393096929677615;

    uint256 constant IC6x = 8125184547908260974522950362245507134162386026532829978396121884206970349750;
    uint256 constant IC6y = 1638220745744979399624662322372476689371465280376059848883016141841188353366;

    // Memory data
    uint16 constant pVk = 0;
    uint16 constant pPairing = 128;

    uint16 constant pLastMem = 896;

    function verifyProof(uint[2] calldata _pA, uint[2][2] calldata _pB, uint[2] calldata _pC, uint[6] calldata _pubSignals) public view returns (bool) {
        assembly {
            function checkField(v) {
                if iszero(lt(v, r)) {
                    mstore(0, 0)
                    return(0, 0x20)
                }
            }

            // G1 function to multiply a G1 value(x,y) to value in an address
            function g1_mulAccC(pR, x, y, s) {
                let success
                let mIn := mload(0x40)
                mstore(mIn, x)
                mstore(add(mIn, 32), y)
                mstore(add(mIn, 64), s)

                success := staticcall(sub(gas(), 2000), 7, mIn, 96, mIn, 64)

                if iszero(success) {
                    mstore(0, 0)
                    return(0, 0x20)
                }

                mstore(add(mIn, 64), mload(pR))
                mstore(add(mIn, 96), mload(add(pR, 32)))

                success := staticcall(sub(gas(), 2000), 6, mIn, 128, pR, 64)

                if iszero(success) {
                    mstore(0, 0)
                    return(0, 0x20)
                }
            }

            function checkPairing(pA, pB, pC, pubSignals, pMem) -> isOk {
                let _pPairing := add(pMem, pPairing)
                let _pVk := add(pMem, pVk)

                mstore(_pVk, IC0x)
                mstore(add(_pVk, 32), IC0y)

                // Compute the linear combination vk_x

                g1_mulAccC(_pVk, IC1x, IC1y, calldataload(add(pubSignals, 0)))

                g1_mulAccC(_pVk, IC2x, IC2y, calldataload(add(pubSignals, 32)))

                g1_mulAccC(_pVk, IC3x, IC3y, calldataload(add(pubSignals, 64)))

                g1_mulAccC(_pVk, IC4x, IC4y, calldataload(add(pubSignals, 96)))

                g1_mulAccC(_pVk, IC5x, IC5y, calldataload(add(pubSignals, 128)))

                g1_mulAccC(_pVk, IC6x, IC6y, calldataload(add(pubSignals, 160)))

                // -A
                mstore(_pPairing, calldataload(pA))
                mstore(add(_pPairing, 32), mod(sub(q, calldataload(add(pA, 32))), q))

                // B
                mstore(add(_pPairing, 64), calldataload(pB))
                mstore(add(_pPairing, 96), calldataload(add(pB, 32)))
                mstore(add(_pPairing, 128), calldataload(add(pB, 64)))
                mstore(add(_pPairing, 160), calldataload(add(pB, 96)))

                // alpha1
                mstore(add(_pPairing, 192), alphax)
                mstore(add(_pPairing, 224), alphay)

                // beta2
                mstore(add(_pPairing, 256), betax1)
                mstore(add(_pPairing, 288), betax2)
                mstore(add(_pPairing, 320), betay1)
                mstore(add(_pPairing, 352), betay2)

                // vk_x
                mstore(add(_pPairing, 384), mload(add(pMem, pVk)))
                mstore(add(_pPairing, 416), mload(add(pMem, add(pVk, 32))))

                // gamma2
                mstore(add(_pPairing, 448), gammax1)
                mstore(add(_pPairing, 480), gammax2)
                mstore(add(_pPairing, 512), gammay1)
                mstore(add(_pPairing, 544), gammay2)

                // C
                mstore(add(_pPairing, 576), calldataload(pC))
                mstore(add(_pPairing, 608), calldataload(add(pC, 32)))

                // delta2
                mstore(add(_pPairing, 640), deltax1)
                mstore(add(_pPairing, 672), deltax2)
                mstore(add(_pPairing, 704), deltay1)
                mstore(add(_pPairing, 736), deltay2)

                let success := staticcall(sub(gas(), 2000), 8, _pPairing, 768, _pPairing, 0x20)

                isOk := and(success, mload(_pPairing))
            }

            let pMem := mload(0x40)
            mstore(0x40, add(pMem, pLastMem))

            // Validate that all evaluations ∈ F

            checkField(calldataload(add(_pubSignals, 0)))

            checkField(calldataload(add(_pubSignals, 32)))

            checkField(calldataload(add(_pubSignals, 64)))

            checkField(calldataload(add(_pubSignals, 96)))

            checkField(calldataload(add(_pubSignals, 128)))

            checkField(calldataload(add(_pubSignals, 160)))

            // Validate all evaluations
            let isValid := checkPairing(_pA, _pB, _pC, _pubSignals, pMem)

            mstore(0, isValid)
             return(0, 0x20)
         }
     }
 }
