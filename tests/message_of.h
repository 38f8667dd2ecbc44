#pragma once

#include <string>
#include <utility>

/// What `action` throws, as text; a note that it threw nothing. An exception that is no `Error`
/// goes on to the test.
template <typename Error, typename Action>
std::string message_of(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const Error& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}
