// All of prong: the Node.js `cluster` module for C++20 and Boost.Asio.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/acceptor.hpp>
#include <prong/error.hpp>
#include <prong/event.hpp>
#include <prong/host.hpp>
#include <prong/message.hpp>
#include <prong/options.hpp>
#include <prong/primary.hpp>
#include <prong/run.hpp>
#include <prong/socket_handle.hpp>
#include <prong/udp_socket.hpp>
#include <prong/worker.hpp>
