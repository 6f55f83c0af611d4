;; Owns a job as text: standard input in base64 (RFC 4648), in one line. It refuses nothing; its memory is two pages.
;;
;;   wat2wasm base64.wat -o base64.wasm
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  ;; A list of one buffer at 0, what was done of it at 8; input from 4096, at most 48000 bytes of it; output from 65536.

  ;; Reads until the buffer is full or there is no more; how much there is.
  (func $read (result i32) (local $length i32)
    (loop $more
      (i32.store (i32.const 0) (i32.add (i32.const 4096) (local.get $length)))
      (i32.store (i32.const 4) (i32.sub (i32.const 48000) (local.get $length)))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 1))))
      (local.set $length (i32.add (local.get $length) (i32.load (i32.const 8))))
      (br_if $more (i32.and
        (i32.ne (i32.load (i32.const 8)) (i32.const 0))
        (i32.lt_u (local.get $length) (i32.const 48000)))))
    (local.get $length))

  (func $write (param $at i32) (param $length i32)
    (loop $more
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $length))
      (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
      (br_if $more (local.tee $length (i32.sub (local.get $length) (i32.load (i32.const 8)))))))

  ;; The character of six bits.
  (func $letter (param $bits i32) (param $shift i32) (result i32)
    (i32.load8_u offset=64 (i32.and (i32.shr_u (local.get $bits) (local.get $shift)) (i32.const 63))))

  ;; Three bytes, the first highest; what is beyond the end counts as zero.
  (func $three (param $at i32) (param $left i32) (result i32)
    (i32.or
      (i32.shl (i32.load8_u (local.get $at)) (i32.const 16))
      (i32.or
        (if (result i32) (i32.gt_u (local.get $left) (i32.const 1))
          (then (i32.shl (i32.load8_u offset=1 (local.get $at)) (i32.const 8))) (else (i32.const 0)))
        (if (result i32) (i32.gt_u (local.get $left) (i32.const 2))
          (then (i32.load8_u offset=2 (local.get $at))) (else (i32.const 0))))))

  ;; Encodes so many bytes of the input; how long the output is.
  (func $encode (param $length i32) (result i32) (local $at i32) (local $to i32) (local $bits i32) (local $left i32)
    (local.set $to (i32.const 65536))
    (loop $group
      (if (local.tee $left (i32.sub (local.get $length) (local.get $at))) (then
        (local.set $bits (call $three (i32.add (i32.const 4096) (local.get $at)) (local.get $left)))
        (i32.store8 (local.get $to) (call $letter (local.get $bits) (i32.const 18)))
        (i32.store8 offset=1 (local.get $to) (call $letter (local.get $bits) (i32.const 12)))
        (i32.store8 offset=2 (local.get $to)
          (if (result i32) (i32.gt_u (local.get $left) (i32.const 1))
            (then (call $letter (local.get $bits) (i32.const 6))) (else (i32.const 61))))
        (i32.store8 offset=3 (local.get $to)
          (if (result i32) (i32.gt_u (local.get $left) (i32.const 2))
            (then (call $letter (local.get $bits) (i32.const 0))) (else (i32.const 61))))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (local.set $at (i32.add (local.get $at)
          (select (i32.const 3) (local.get $left) (i32.gt_u (local.get $left) (i32.const 3)))))
        (br $group))))
    (i32.sub (local.get $to) (i32.const 65536)))

  (func (export "_start") (local $length i32)
    (loop $more
      (if (local.tee $length (call $read)) (then
        (call $write (i32.const 65536) (call $encode (local.get $length)))
        (br_if $more (i32.eq (local.get $length) (i32.const 48000))))))
    (i32.store8 (i32.const 65536) (i32.const 10))
    (call $write (i32.const 65536) (i32.const 1))))
