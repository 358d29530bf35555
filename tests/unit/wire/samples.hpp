// A frame of each kind, with its bytes written out by hand: the protocol's fixed points. A change
// that makes one of them differ breaks a reload between two versions of a program.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/wire/control.hpp"

#include <limits>
#include <string_view>
#include <vector>

namespace prong::wire {

struct sample {
  control what;
  std::string_view bytes;  // hexadecimal; spaces divide fields
};

inline address ipv4_sample() {
  return {transport::tcp, false, {127, 0, 0, 1}, 0, 0x1f90};
}

inline address ipv6_sample() {
  return {transport::udp,
          true,
          {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
          0x01020304,
          0xffff};
}

inline address path_sample() {
  return {transport::local, false, {}, 0, 0, "/a"};
}

inline std::vector<sample> samples() {
  return {
      {hello{1, 0x0203, 0x04050607, 0x08090a0b},
       "0c000000 0100 0000 0000000000000000  0100 0302 07060504 0b0a0908"},
      {welcome{0x0102, 0x0304}, "04000000 0200 0000 0000000000000000  0201 0403"},
      {listen{0x0102030405060708, ipv4_sample(), 7, -2, false},
       "34000000 0300 0000 0807060504030201  "
       "00 00 7f000001000000000000000000000000 00000000 901f 0000 07000000 feffffff 00 00 00 "
       "ffffffff 00 0000000000000000 0000"},
      {listen{9, ipv6_sample(), 0, std::numeric_limits<std::int32_t>::min(), true, true, true, 0600,
              true, 7, "web"},
       "37000000 0300 0000 0900000000000000  "
       "01 01 fe800000000000000102030405060708 04030201 ffff 0000 00000000 00000080 01 01 01 "
       "80010000 01 0700000000000000 0300 776562"},
      {listening{10, ipv4_sample(), false},
       "20000000 0400 0000 0a00000000000000  "
       "00 00 7f000001000000000000000000000000 00000000 901f 0000 00 00 00000000"},
      {listening{11, ipv6_sample(), true, false, 0x01020304},
       "20000000 0400 0100 0b00000000000000  "
       "01 01 fe800000000000000102030405060708 04030201 ffff 0000 01 00 04030201"},
      {listening{12, path_sample(), false, true},
       "22000000 0400 0000 0c00000000000000  "
       "02 00 00000000000000000000000000000000 00000000 0000 0200 2f61 00 01 00000000"},
      {listen_failed{12, {error::category::system, 98}},
       "05000000 0500 0000 0c00000000000000  00 62000000"},
      {listen_failed{13, {error::category::prong, -1}},
       "05000000 0500 0000 0d00000000000000  01 ffffffff"},
      {unlisten{14}, "00000000 0600 0000 0e00000000000000"},
      {offer{0xfffefdfcfbfaf9f8, 15, 19, true},
       "0d000000 0700 0100 f8f9fafbfcfdfeff  0f00000000000000 13000000 01"},
      {took{16}, "00000000 0800 0000 1000000000000000"},
      {refused{17, 20}, "04000000 0900 0000 1100000000000000  14000000"},
      {credit{18, 0x01020304, 0x05060708},
       "08000000 0a00 0000 1200000000000000  04030201 08070605"},
      {message{"hi", "you"}, "0b000000 0b00 0000 0000000000000000  0200 6869 03000000 796f75"},
      {message{}, "06000000 0b00 0000 0000000000000000  0000 00000000"},
      {message{"a", "", true}, "07000000 0b00 0100 0000000000000000  0100 61 00000000"},
      {message_credit{0xfffffffe}, "04000000 0c00 0000 0000000000000000  feffffff"},
      {stop{}, "00000000 0d00 0000 0000000000000000"},
      {stopping{}, "00000000 0e00 0000 0000000000000000"},
      {listens_alone{19, path_sample(), {error::category::system, 13}},
       "21000000 0f00 0000 1300000000000000  "
       "02 00 00000000000000000000000000000000 00000000 0000 0200 2f61 00 0d000000"},
  };
}

}  // namespace prong::wire
