/// One source of settings. Reading the file is the caller's job: a name for messages and the text are passed in.
public struct ConfigurationLayer: Sendable {
  enum Contents: Sendable {
    case boardProfile(name: String, text: String)
    case file(name: String, text: String)
    case commandLine([String])
  }
  let contents: Contents

  /// The board's profile: TOML.
  public static func boardProfile(name: String, text: String) -> ConfigurationLayer {
    ConfigurationLayer(contents: .boardProfile(name: name, text: text))
  }

  /// The configuration file: TOML.
  public static func file(name: String, text: String) -> ConfigurationLayer {
    ConfigurationLayer(contents: .file(name: name, text: text))
  }

  /// The arguments of `--set`, each `section.key=value`; text stands without quotes. The last of equal keys wins.
  public static func commandLine(_ assignments: [String]) -> ConfigurationLayer {
    ConfigurationLayer(contents: .commandLine(assignments))
  }

  /// A key's value in this layer.
  struct Setting {
    var key: ConfigurationKey
    var value: ConfigurationValue
    var origin: ConfigurationOrigin
  }

  /// Every setting of this layer that is right by itself; adds what is wrong to `problems`.
  func settings(problems: inout [ConfigurationProblem]) -> [Setting] {
    switch contents {
    case .boardProfile(let name, let text):
      TOMLSettings.read(text, name: name, problems: &problems) { .boardProfile(name: name, line: $0) }
    case .file(let name, let text):
      TOMLSettings.read(text, name: name, problems: &problems) { .file(name: name, line: $0) }
    case .commandLine(let assignments):
      assignments.compactMap { Self.setting(of: $0, problems: &problems) }
    }
  }

  private static func setting(of assignment: String, problems: inout [ConfigurationProblem]) -> Setting? {
    let place = ConfigurationOrigin.commandLine.description
    guard let equals = assignment.firstIndex(of: "=") else {
      problems.append(
        ConfigurationProblem(
          place: place, keys: [], text: "\(assignment.excerpt) has no \"=\"; write --set section.key=value"))
      return nil
    }
    let path = String(assignment[..<equals])
    let written = String(assignment[assignment.index(after: equals)...])
    guard let key = ConfigurationSchema.key(path) else {
      problems.append(UnknownKey(path).problem(place: place))
      return nil
    }
    guard let value = key.value(ofText: written) else {
      problems.append(
        ConfigurationProblem(
          place: place, keys: [path], text: "\(written.excerpt) is not \(key.expectedKindText)",
          allowed: key.allowedText))
      return nil
    }
    if let reason = key.refusal(of: value) {
      problems.append(ConfigurationProblem(place: place, keys: [path], text: reason, allowed: key.allowedText))
      return nil
    }
    return Setting(key: key, value: value, origin: .commandLine)
  }
}

extension ConfigurationKey {
  /// A value written without TOML's quotes; nil if it cannot be of this key's kind.
  fileprivate func value(ofText text: String) -> ConfigurationValue? {
    switch allowed {
    case .boolean: Bool(text).map(ConfigurationValue.boolean)
    case .integer: Int(text).map(ConfigurationValue.integer)
    case .choice, .text, .path: .text(text)
    }
  }
}

/// The settings of a TOML text.
enum TOMLSettings {
  static func read(
    _ text: String, name: String, problems: inout [ConfigurationProblem], origin: (Int) -> ConfigurationOrigin
  ) -> [ConfigurationLayer.Setting] {
    let document: TOMLDocument
    do {
      document = try TOMLDocument(text)
    } catch {
      problems.append(
        ConfigurationProblem(
          place: "\(name):\(error.line)", keys: [], text: "not TOML: \(error.reason) (column \(error.column))"))
      return []
    }

    var settings: [ConfigurationLayer.Setting] = []
    var found: [(line: Int, problem: ConfigurationProblem)] = []
    for entry in document.entries {
      func report(_ make: (String) -> ConfigurationProblem) {
        found.append((entry.line, make("\(name):\(entry.line)")))
      }
      guard let keyName = entry.key else {
        if !ConfigurationSchema.sections.contains(entry.section) {
          report { UnknownKey(entry.section).problem(place: $0) }
        } else if entry.value != .table {
          report {
            ConfigurationProblem(
              place: $0, keys: [entry.section],
              text: "\(entry.value.article) where a table belongs; write [\(entry.section)]")
          }
        }
        continue
      }
      // What stands in an unknown section has been said with the section.
      guard ConfigurationSchema.sections.contains(entry.section) else { continue }
      guard let key = ConfigurationSchema.key("\(entry.section).\(keyName)"), key.name == keyName else {
        report { UnknownKey("\(entry.section).\(keyName)").problem(place: $0) }
        continue
      }
      guard let value = entry.value.configurationValue else {
        report {
          ConfigurationProblem(
            place: $0, keys: [key.path], text: "\(entry.value.article), not \(key.expectedKindText)",
            allowed: key.allowedText)
        }
        continue
      }
      if case .text(let text) = value, text.utf8.contains(0) {
        report { ConfigurationProblem(place: $0, keys: [key.path], text: "holds a NUL character; remove it") }
      } else if let reason = key.refusal(of: value) {
        report { ConfigurationProblem(place: $0, keys: [key.path], text: reason, allowed: key.allowedText) }
      } else {
        settings.append(ConfigurationLayer.Setting(key: key, value: value, origin: origin(entry.line)))
      }
    }
    problems += found.sorted { ($0.line, $0.problem.description) < ($1.line, $1.problem.description) }.map(\.problem)
    return settings
  }
}

extension TOMLDocument.Value {
  fileprivate var configurationValue: ConfigurationValue? {
    switch self {
    case .boolean(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .text(let value): .text(value)
    case .table, .other: nil
    }
  }
}
