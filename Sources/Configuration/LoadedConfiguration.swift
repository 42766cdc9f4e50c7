/// A configuration in effect, and where each of its values comes from.
public struct LoadedConfiguration: Sendable {
  /// The values, each within its range, and valid together.
  public private(set) var values = RecorderConfiguration()
  private var origins: [String: ConfigurationOrigin] = [:]

  /// The built-in configuration alone.
  public init() {}

  /// Lays layers over the built-in one: of each key the value of the last layer that gives it holds.
  ///
  /// - Throws: everything that is wrong in any of the layers; the checks between keys only if nothing else is.
  public static func load(_ layers: [ConfigurationLayer]) throws(ConfigurationError) -> LoadedConfiguration {
    var loaded = LoadedConfiguration()
    var problems: [ConfigurationProblem] = []
    for layer in layers {
      for setting in layer.settings(problems: &problems) {
        setting.key.write(&loaded.values, setting.value)
        loaded.origins[setting.key.path] = setting.origin
      }
    }
    if problems.isEmpty { problems = loaded.values.validate().map(loaded.located) }
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    return loaded
  }

  /// Where the value of `section.key` comes from.
  public func origin(of path: String) -> ConfigurationOrigin { origins[path] ?? .builtIn }

  /// Names where each key of a problem was set: for problems between keys, also those that only the running recorder
  /// can see, such as a ring that does not fit into memory.
  public func located(_ problem: ConfigurationProblem) -> ConfigurationProblem {
    var problem = problem
    let places = problem.keys.map { "\($0) is from \(origin(of: $0))" }
    problem.text += " (\(places.joined(separator: ", ")))"
    return problem
  }
}
