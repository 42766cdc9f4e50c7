import CLinux
import Glibc

/// Agreeing with an encoder on formats and controls, in the order of the specification ("Initialization" in dev-encoder):
/// the coded format first, for it decides which raw ones there are. What counts is what the driver answers.
struct CodecNegotiation {
  var layout: RawLayout
  var keyframes: GrantedCodec.KeyframeMethod
  var missing: [CodecControl]

  static func run(_ request: CodecRequest, on device: borrowing M2MDevice) throws(CodecError) -> CodecNegotiation {
    var coded = format(request, .coded, request.coded, on: device)
    try device.require(VIDIOC_S_FMT, "VIDIOC_S_FMT (coded)", &coded)
    let answer = GrantedFormat(coded, isMultiplanar: device.isMultiplanar)
    guard answer.format == request.coded else {
      throw CodecError(
        .notAnEncoder, device: device.name, operation: "VIDIOC_S_FMT (coded)",
        hint: "It does not make \(request.coded), but \(listed(device.formats(.coded))).")
    }
    let layout = try rawFormat(request, on: device)
    setRate(request, on: device)
    let missing = try setControls(request, on: device)
    return CodecNegotiation(
      layout: layout, keyframes: device.has(.forceKeyframe) ? .control : .reset, missing: missing)
  }

  private static func format(
    _ request: CodecRequest, _ side: CodecSide, _ code: FourCC, on device: borrowing M2MDevice
  ) -> v4l2_format {
    var format = v4l2_format()
    format.type = device.bufferType(side)
    let (width, height) = (UInt32(clamping: request.width), UInt32(clamping: request.height))
    let bytes = side == .coded ? UInt32(clamping: request.codedBytes) : 0
    let colorspace = request.isBT709 ? V4L2_COLORSPACE_REC709.rawValue : V4L2_COLORSPACE_SMPTE170M.rawValue
    let quantization = request.isFullRange ? V4L2_QUANTIZATION_FULL_RANGE : V4L2_QUANTIZATION_LIM_RANGE
    if device.isMultiplanar {
      format.fmt.pix_mp.width = width
      format.fmt.pix_mp.height = height
      format.fmt.pix_mp.pixelformat = code.rawValue
      format.fmt.pix_mp.field = V4L2_FIELD_NONE.rawValue
      format.fmt.pix_mp.colorspace = colorspace
      format.fmt.pix_mp.quantization = UInt8(truncatingIfNeeded: quantization.rawValue)
      if side == .coded {
        format.fmt.pix_mp.num_planes = 1
        format.fmt.pix_mp.plane_fmt.0.sizeimage = bytes
      }
    } else {
      format.fmt.pix.width = width
      format.fmt.pix.height = height
      format.fmt.pix.pixelformat = code.rawValue
      format.fmt.pix.field = V4L2_FIELD_NONE.rawValue
      format.fmt.pix.colorspace = colorspace
      format.fmt.pix.quantization = quantization.rawValue
      format.fmt.pix.sizeimage = bytes
    }
    return format
  }

  private static func rawFormat(
    _ request: CodecRequest, on device: borrowing M2MDevice
  ) throws(CodecError) -> RawLayout {
    let offered = device.formats(.raw)
    guard let choice = FourCC.raw.first(where: { offered.contains($0) }) else {
      throw CodecError(
        .unsupported, device: device.name, operation: "raw pictures in \(listed(FourCC.raw))",
        hint: "It takes \(listed(offered)).")
    }
    var wanted = format(request, .raw, choice, on: device)
    try device.require(VIDIOC_S_FMT, "VIDIOC_S_FMT (raw)", &wanted)
    let granted = GrantedFormat(wanted, isMultiplanar: device.isMultiplanar)
    let asked = "\(choice) of \(request.width)x\(request.height)"
    guard granted.format == choice, granted.width >= request.width, granted.height >= request.height,
      let layout = RawLayout(format: choice, width: granted.width, height: granted.height, strides: granted.strides)
    else {
      throw CodecError(
        .unsupported, device: device.name, operation: asked,
        hint:
          "It granted \(granted.format) of \(granted.width)x\(granted.height): choose another camera.width and height.")
    }
    // Rows and columns that only align the buffer must not be seen: the stream crops them.
    if (granted.width, granted.height) != (request.width, request.height) {
      var crop = v4l2_selection()
      crop.type = V4L2_BUF_TYPE_VIDEO_OUTPUT.rawValue
      crop.target = UInt32(V4L2_SEL_TGT_CROP)
      crop.r = v4l2_rect(left: 0, top: 0, width: UInt32(request.width), height: UInt32(request.height))
      let error = device.request(VIDIOC_S_SELECTION, &crop)
      guard error == 0, crop.r.width == UInt32(request.width), crop.r.height == UInt32(request.height) else {
        throw CodecError(
          .unsupported, device: device.name, operation: asked, errno: error,
          hint:
            "Its buffers are \(granted.width)x\(granted.height) and it does not crop: choose that as camera.width and "
            + "height.")
      }
    }
    return layout
  }

  /// A hint to the driver's scheduling and rate control; not every driver takes it.
  private static func setRate(_ request: CodecRequest, on device: borrowing M2MDevice) {
    var parameters = v4l2_streamparm()
    parameters.type = device.bufferType(.raw)
    parameters.parm.output.timeperframe = v4l2_fract(
      numerator: request.rate.denominator, denominator: request.rate.numerator)
    _ = device.request(VIDIOC_S_PARM, &parameters)
  }

  /// Returns the wished ones that could not be had.
  private static func setControls(
    _ request: CodecRequest, on device: borrowing M2MDevice
  ) throws(CodecError) -> [CodecControl] {
    let quirks = DriverQuirks.of(driver: device.driver)
    var missing: [CodecControl] = []
    for setting in request.controls {
      guard device.has(setting.control) else {
        if setting.isRequired {
          throw CodecError(
            .unsupported, device: device.name, operation: "\(setting.control)",
            hint: "Its driver has no such control, without which it cannot be used: choose another video.encoder.")
        }
        missing.append(setting.control)
        continue
      }
      var error: CInt = EINVAL
      for value in setting.values where error != 0 && !quirks.avoids(setting.control, value) {
        error = device.set(setting.control, to: value)
      }
      if error == ENODEV { throw CodecError(device: device.name, operation: "\(setting.control)", errno: error) }
      if error != 0 {
        if setting.isRequired {
          throw CodecError(
            .unsupported, device: device.name,
            operation: "\(setting.control) = \(setting.values.map(String.init).joined(separator: " or "))",
            errno: error,
            hint: "Choose another value, or another video.encoder.")
        }
        missing.append(setting.control)
      }
    }
    return missing
  }

  private static func listed(_ formats: [FourCC]) -> String {
    formats.isEmpty ? "nothing" : formats.map(\.description).joined(separator: ", ")
  }
}

/// The answer to VIDIOC_S_FMT, from either of its two shapes.
private struct GrantedFormat {
  var format: FourCC
  var width: Int
  var height: Int
  var strides: [Int]

  init(_ answer: v4l2_format, isMultiplanar: Bool) {
    if isMultiplanar {
      let pixels = answer.fmt.pix_mp
      format = FourCC(rawValue: pixels.pixelformat)
      (width, height) = (Int(pixels.width), Int(pixels.height))
      let planes = pixels.plane_fmt
      strides = [planes.0, planes.1, planes.2].prefix(Int(pixels.num_planes)).map { Int($0.bytesperline) }
    } else {
      let pixels = answer.fmt.pix
      format = FourCC(rawValue: pixels.pixelformat)
      (width, height) = (Int(pixels.width), Int(pixels.height))
      strides = [Int(pixels.bytesperline)]
    }
  }
}
