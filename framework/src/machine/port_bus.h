#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "machine/port_log.h"

namespace hltest {

/// One answer for each IN, in order; after the last the port is a floating bus again.
struct Answers {
  std::vector<std::uint32_t> values;
  Answers(std::initializer_list<std::uint32_t> list) : values(list) {}
  explicit Answers(std::vector<std::uint32_t> list) : values(std::move(list)) {}
};

/// Bytes to be read one after the other: an IN takes as many as it is wide, lowest first. After the
/// last the port is a floating bus again, and so is what a wider IN finds missing.
struct AnswerBytes {
  std::vector<std::uint8_t> bytes;
};

/// The same answer for every IN.
struct Always {
  std::uint32_t value;
};

/// Is asked at every IN; `access` has the port and the size. What it throws ends the run and comes
/// out of it.
using PortReader = std::function<std::uint32_t(const PortAccess& access)>;
/// Is told of every OUT.
using PortWriter = std::function<void(const PortAccess& access)>;

/// What answers the guest's IN and OUT instructions. Answers are cut to the width of the IN. An IN
/// that nobody scripted reads all ones, as a floating bus does, and the log shows it.
class PortBus {
 public:
  /// Scripts what IN reads from `port`, in place of an earlier script.
  /// Throws std::invalid_argument for a function that is empty.
  void on_in(Port port, std::variant<Answers, AnswerBytes, Always, PortReader> answer);
  /// Calls `writer` at every OUT to `port`, in place of an earlier one. Throws
  /// std::invalid_argument for a function that is empty.
  void on_out(Port port, PortWriter writer);

  /// Ends the run at the `count`th OUT to `port` (an element of OUTS counts as one).
  /// Throws std::invalid_argument for a count of 0.
  void stop_after_writes(Port port, std::uint64_t count);
  /// Ends the run when OUT gives `value` to `port`.
  void stop_on_write(Port port, std::uint32_t value);

  /// One IN: logs it and returns the answer.
  std::uint32_t in(Port port, std::uint8_t size, PortLog& log);
  /// One OUT: logs it and, where it fulfils a stop condition, returns the condition in words.
  std::optional<std::string> out(Port port, std::uint8_t size, std::uint32_t value, PortLog& log);
  /// Forgets how many writes it has seen: a new run begins.
  void start_run();

 private:
  struct Script {
    std::variant<Answers, AnswerBytes, Always, PortReader> answer;
    std::size_t used = 0;
  };
  struct StopCondition {
    Port port;
    std::optional<std::uint32_t> value;
    std::uint64_t count;
    std::uint64_t seen = 0;
  };

  static std::optional<std::uint32_t> answer(Script& script, const PortAccess& access);

  // Shared, so that one which replaces itself while it is called lives until it returns.
  std::map<Port, std::shared_ptr<Script>> scripts_;
  std::map<Port, std::shared_ptr<PortWriter>> writers_;
  std::vector<StopCondition> stop_conditions_;
};

}  // namespace hltest
