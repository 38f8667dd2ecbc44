#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include <hltest/device.h>
#include <hltest/service_call.h>

namespace hltest {

/// What serves a vector: changes `call.after` and the guest's memory, and returns true. If it
/// returns false, it has done nothing, and the service that was there before it is asked.
using Service = std::function<bool(ServiceCall& call, GuestView& guest)>;

template <typename Function>
concept ServesInterrupts = std::is_invocable_v<Function, Registers&> ||
    std::is_invocable_v<Function, Registers&, GuestView&> ||
    std::is_invocable_v<Function, ServiceCall&, GuestView&>;

/// Makes a `Service` of a function of the registers, which it may change, alone or with the guest.
/// A function that returns nothing always serves.
template <ServesInterrupts Function>
Service service(Function function) {
  return [function = std::move(function)](ServiceCall& call, GuestView& guest) mutable -> bool {
    const auto invoke = [&]() -> decltype(auto) {
      if constexpr (std::is_invocable_v<Function, ServiceCall&, GuestView&>) {
        return function(call, guest);
      } else if constexpr (std::is_invocable_v<Function, Registers&, GuestView&>) {
        return function(call.after, guest);
      } else {
        return function(call.after);
      }
    };
    if constexpr (std::is_void_v<decltype(invoke())>) {
      invoke();
      return true;
    } else {
      return invoke();
    }
  };
}

}  // namespace hltest
